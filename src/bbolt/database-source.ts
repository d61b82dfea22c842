/**
 * What a database is written from: rows in order, gone over twice. The first pass asks for lengths only; from them
 * follows where every page will be, which the file's first page has to say. So both passes must give the same rows.
 */
import type { Steps } from "../lib/steps.ts";

export interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The lengths of a row in bytes. */
export interface RowSize {
  readonly keyBytes: number;
  readonly valueBytes: number;
}

/** Some rows (or lengths) at a time; `undefined` is a pause, for reads that go over much to find little. */
export type Batches<T> = Generator<readonly T[] | undefined, void, undefined>;

export interface BucketSource {
  readonly name: string;
  sizes(): Batches<RowSize>;
  /** In order of their keys as bytes. A row is held for as long as its page is not full, so its bytes must stay. */
  rows(): Batches<Row>;
}

/** A bucket whose rows are in memory, in order. */
export function bucketOf(name: string, rows: readonly Row[]): BucketSource {
  return {
    name,
    *sizes() {
      for (let i = 0; i < rows.length; i += rowsPerBatch) {
        yield rows
          .slice(i, i + rowsPerBatch)
          .map(({ key, value }) => ({ keyBytes: key.length, valueBytes: value.length }));
      }
    },
    *rows() {
      for (let i = 0; i < rows.length; i += rowsPerBatch) yield rows.slice(i, i + rowsPerBatch);
    },
  };
}

const rowsPerBatch = 512;

/** Drives `batches`, handing each to `use` and pausing between them. */
export function* forEachBatch<T>(batches: Batches<T>, use: (batch: readonly T[]) => void): Steps<void> {
  for (const batch of batches) {
    if (batch !== undefined) use(batch);
    yield undefined;
  }
}
