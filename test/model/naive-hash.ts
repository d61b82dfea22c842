/** HashKV of the model: CRC-32C over the rows as they are in etcd's database file. */
import { encodeKeyValue } from "../../src/codec/key-value.ts";
import { crc32c } from "../../src/lib/crc32c.ts";
import type { NaiveEtcd } from "./naive-etcd.ts";

export function naiveHash(model: NaiveEtcd, revision: number, compacted = model.compactRevision): number {
  const parts: Uint8Array[] = [Buffer.from("key")];
  for (const change of model.hashed(revision, compacted)) {
    const place = Buffer.alloc(17, "_");
    place.writeBigUInt64BE(BigInt(change.revision), 0);
    place.writeBigUInt64BE(BigInt(change.sub), 9);
    parts.push(place);
    if (change.kind === "delete") parts.push(Buffer.from("t"));
    parts.push(encodeKeyValue(change.kind === "put" ? change.kv : { ...change.kv, modRevision: 0 }));
  }
  return crc32c(Buffer.concat(parts));
}
