/** DeleteRange, inside the transaction in progress. */
import type { Version } from "../../backend/backend.ts";
import type { DeleteRangeRequest, DeleteRangeResponse, KeyValue } from "../../codec/kv.ts";
import { toBinaryKey } from "../../lib/binary-key.ts";
import type { Steps } from "../../lib/steps.ts";
import { keyBytesOf, toKeyValue } from "../overlay/generation.ts";
import type { Layers } from "../overlay/layers.ts";
import { keysPerStep, MergedScan } from "../read/merged-scan.ts";
import { isEmpty, ReadView, spanOf } from "../read/read-view.ts";

/** Deletes what lives in the span, in key order. Puts made earlier in the same transaction count. */
export function* writeDeleteRange(layers: Layers, request: DeleteRangeRequest): Steps<DeleteRangeResponse> {
  const key = toBinaryKey(request.key);
  if (request.rangeEnd.length === 0) return deleteOne(layers, key, request);
  const span = spanOf(key, toBinaryKey(request.rangeEnd));
  if (isEmpty(span)) return { deleted: 0, prevKvs: [] };
  const view = new ReadView(layers, layers.writeRevision);
  const scan = new MergedScan(view, span, { keysOnly: !request.prevKv });
  const prevKvs: KeyValue[] = [];
  let deleted = 0;
  for (;;) {
    const rows: Version[] = [];
    scan.fill(rows, keysPerStep);
    for (const row of rows) {
      const keyBytes = keyBytesOf(row);
      if (request.prevKv) prevKvs.push(toKeyValue(row, keyBytes));
      layers.remove(row.key, keyBytes);
    }
    deleted += rows.length;
    if (scan.done) return { deleted, prevKvs };
    yield;
  }
}

function deleteOne(layers: Layers, key: string, request: DeleteRangeRequest): DeleteRangeResponse {
  const newest = layers.newestWritten(key);
  if (newest === undefined || newest.version === 0) return { deleted: 0, prevKvs: [] };
  layers.remove(key, request.key);
  return { deleted: 1, prevKvs: request.prevKv ? [toKeyValue(newest, request.key)] : [] };
}
