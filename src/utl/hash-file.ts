/**
 * HashKV of etcd's database file: a CRC-32C over the name and the rows of its bucket "key" that count at a revision. The
 * file is only read.
 *
 * What a compaction supersedes does not count, whether or not its rows are gone already. So the history is read twice
 * when there was a compaction: the first time to learn which of the older versions are still the newest of their key.
 */
import { randomInt } from "node:crypto";
import { type BucketRoot, DatabaseFile } from "../bbolt/database-file.ts";
import { readBuckets, readLeaves } from "../bbolt/read-rows.ts";
import { decodeKeyValue } from "../codec/key-value.ts";
import { errors } from "../errors/table.ts";
import { toBinaryKey } from "../lib/binary-key.ts";
import { crc32c } from "../lib/crc32c.ts";
import type { Disk } from "../lib/disk.ts";
import { metaBucket } from "../membership/conf-state-row.ts";
import { keyBucket } from "../server/snapshot/etcd-buckets.ts";
import { readPosition } from "../server/snapshot/file-position.ts";
import { decodeRevisionKey } from "../server/snapshot/revision-key.ts";
import { LiveKeys } from "./live-keys.ts";

export interface HashKv {
  readonly hash: number;
  readonly hashRevision: number;
  /** -1 if there was no compaction. */
  readonly compactRevision: number;
}

const encoder = new TextEncoder();

/** `revision` 0 means the newest. Rejects with ErrCompacted, ErrFutureRev, or an Error that says what is wrong with the
 * file. */
export async function hashFile(disk: Disk, path: string, revision: number): Promise<HashKv> {
  const file = await DatabaseFile.open(disk, path);
  try {
    return await new FileHasher(file).run(revision);
  } finally {
    await file.close();
  }
}

interface HistoryRow {
  /** Its place in the history. */
  readonly ordinal: number;
  readonly main: number;
  readonly isTombstone: boolean;
  readonly row: Uint8Array;
  readonly value: Uint8Array;
  readonly key: () => Uint8Array;
}

class FileHasher {
  readonly #file: DatabaseFile;
  #root: BucketRoot | undefined;
  #newest = 1;
  #compactRevision = -1;

  constructor(file: DatabaseFile) {
    this.#file = file;
  }

  async run(requested: number): Promise<HashKv> {
    const buckets = await readBuckets(this.#file);
    this.#root = buckets.get(keyBucket);
    const position = await readPosition(this.#file, buckets.get(metaBucket));
    const compacted = Math.max(position.scheduledCompaction, position.finishedCompaction);
    if (compacted > 0) this.#compactRevision = compacted;
    for await (const { main } of this.#history()) this.#newest = main;
    this.#newest = Math.max(this.#newest, this.#compactRevision);
    if (requested > 0 && requested < this.#compactRevision) throw errors.compacted();
    if (requested > this.#newest) throw errors.futureRev();
    const hashRevision = requested === 0 ? this.#newest : requested;
    const kept = compacted > 0 ? await this.#keptAt(hashRevision) : undefined;
    let hash = crc32c(encoder.encode(keyBucket));
    for await (const { ordinal, main, isTombstone, row, value } of this.#history()) {
      if (main > hashRevision) break;
      if (main <= this.#compactRevision && kept !== undefined && !kept.has(ordinal)) continue;
      // Older etcds remove a tombstone of the compact revision itself, newer ones do not.
      if (main === this.#compactRevision && isTombstone) continue;
      hash = crc32c(value, crc32c(row, hash));
    }
    return { hash, hashRevision, compactRevision: this.#compactRevision };
  }

  /** Which rows up to the compact revision are the newest of a living key at `revision`. Undefined if no key lives then:
   * etcd's rule has that exception, and counts everything. */
  async #keptAt(revision: number): Promise<Set<number> | undefined> {
    const live = new LiveKeys([randomInt(2 ** 32), randomInt(2 ** 32)]);
    const newest = new Map<string, number>();
    for await (const { ordinal, main, isTombstone, key } of this.#history()) {
      if (main > revision) break;
      const bytes = key();
      live.set(bytes, !isTombstone);
      if (main <= this.#compactRevision && !isTombstone) newest.set(toBinaryKey(bytes), ordinal);
      else newest.delete(toBinaryKey(bytes));
    }
    return live.count === 0 ? undefined : new Set(newest.values());
  }

  async *#history(): AsyncGenerator<HistoryRow, void, undefined> {
    if (this.#root === undefined) return;
    let ordinal = 0;
    for await (const { page, rows } of readLeaves(this.#file, this.#root)) {
      for (const { key: row, value } of rows) {
        const place = decodeRevisionKey(row);
        if (place === undefined) this.#file.fail(page, "a row of bucket key has no revision for its key");
        const { main, sub, isTombstone } = place;
        const key = (): Uint8Array => {
          try {
            return decodeKeyValue(value).key;
          } catch {
            return this.#file.fail(page, `row ${main}_${sub} of bucket key cannot be read`);
          }
        };
        yield { ordinal: ordinal++, main, isTombstone, row, value, key };
      }
    }
  }
}
