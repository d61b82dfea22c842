/** All keys of one member, page by page. */
import { RangeRequestSchema, RangeResponseSchema } from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { callOnce } from "../support/cluster/calls.ts";
import { textOf } from "./requests.ts";

export interface Row {
  readonly key: string;
  readonly value: string;
  readonly modRevision: number;
  readonly version: number;
}

/** At a revision; 0 for the current one, asked for linearizably. */
export async function readAll(url: string, revision: number): Promise<{ rows: Row[]; revision: number }> {
  const rows: Row[] = [];
  let key = Uint8Array.of(0);
  for (let at = revision; ; ) {
    const request = { key, rangeEnd: Uint8Array.of(0), revision: BigInt(at), limit: 1_000n };
    const types = { input: RangeRequestSchema, output: RangeResponseSchema };
    const answer = await callOnce(url, "KV/Range", types, request, 30_000);
    if (at === 0) at = Number(answer.header!.revision);
    for (const kv of answer.kvs) {
      const { modRevision, version } = kv;
      rows.push({
        key: textOf(kv.key),
        value: textOf(kv.value),
        modRevision: Number(modRevision),
        version: Number(version),
      });
    }
    const last = answer.kvs.at(-1);
    if (!answer.more || !last) return { rows, revision: at };
    key = Uint8Array.of(...last.key, 0);
  }
}
