/** One row of etcd's database file. */
import type { DatabaseFile } from "../../bbolt/database-file.ts";
import { readBuckets, readLeaves } from "../../bbolt/read-rows.ts";
import { toBinaryKey } from "../../lib/binary-key.ts";

/** Goes over the rows of `bucket` until it is found, so for small buckets. Rejects with a BboltCorruptError. */
export async function readFileRow(
  file: DatabaseFile,
  bucket: string,
  key: string,
): Promise<Uint8Array | undefined> {
  const root = (await readBuckets(file)).get(bucket);
  if (root === undefined) return undefined;
  for await (const { rows } of readLeaves(file, root)) {
    const found = rows.find((row) => toBinaryKey(row.key) === key);
    if (found) return found.value.slice();
  }
  return undefined;
}
