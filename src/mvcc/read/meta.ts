/** The durable tables of other modules: overlay over backend, row by row. */
import type { BinaryKey } from "../../backend/backend.ts";
import type { Steps } from "../../lib/steps.ts";
import type { OverlayGeneration } from "../overlay/generation.ts";
import type { Layers } from "../overlay/layers.ts";

const rowsPerStep = 512;

/** All rows of a bucket. Changes applied between its steps may or may not be in the answer; modules read their
 * buckets when the server starts, before anything is applied. */
export function* readMeta(layers: Layers, bucket: string): Steps<Map<BinaryKey, Uint8Array>> {
  const rows = new Map<BinaryKey, Uint8Array>();
  const { sealed, active } = layers;
  let after: BinaryKey | undefined;
  for (;;) {
    const page = layers.backend.meta(bucket, after, rowsPerStep);
    for (const { key, value } of page) rows.set(key, value);
    if (page.length < rowsPerStep) break;
    after = page[page.length - 1]!.key;
    yield;
  }
  if (sealed !== undefined) overlay(rows, sealed, bucket);
  overlay(rows, active, bucket);
  if (layers.active !== active) overlay(rows, layers.active, bucket);
  return rows;
}

function overlay(rows: Map<BinaryKey, Uint8Array>, generation: OverlayGeneration, bucket: string): void {
  for (const [key, value] of generation.meta.get(bucket) ?? []) {
    if (value === undefined) rows.delete(key);
    else rows.set(key, value);
  }
}

/** The first row of a bucket after a key. For buckets that change while they are read, row by row. */
export function metaRowAfter(
  layers: Layers,
  bucket: string,
  after: BinaryKey,
): { key: BinaryKey; value: Uint8Array } | undefined {
  const written = [layers.active, layers.sealed].map((generation) => generation?.meta.get(bucket));
  let from = after;
  for (;;) {
    let [row] = layers.backend.meta(bucket, from, 1);
    for (const rows of written) {
      for (const [key, value] of rows ?? []) {
        if (key > from && value !== undefined && (row === undefined || key <= row.key)) row = { key, value };
      }
    }
    if (row === undefined) return undefined;
    const newest = written.find((rows) => rows?.has(row.key))?.get(row.key);
    const isDeleted = newest === undefined && written.some((rows) => rows?.has(row.key));
    if (!isDeleted) return newest === undefined ? row : { key: row.key, value: newest };
    from = row.key;
  }
}
