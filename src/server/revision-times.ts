/**
 * When revisions were made: a small index of times, so that the store can be read as it was at a time.
 *
 * It is this member's own and stands beside etcd's data: never in the log, in snapshots or in hashes. A row says that a
 * revision was applied at a time. The first one after a second without a row gets one; so all revisions between two rows
 * were made within a second of the first row, and there are never more rows than revisions that are kept. Rows go into
 * the same generation as the revisions they tell of, and go when these are compacted.
 *
 * What it cannot know it says: after a start, revisions come from the log or from other members that were made at some time
 * before. The row of the first of them is marked.
 */
import { EtcdError, GrpcCode } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import type { Clock } from "../lib/clock.ts";
import type { Revision } from "../lib/ids.ts";
import type { MvccStore } from "../mvcc/store.ts";

export const timesBucket = "etclite_times";

/** A clock that says less was not set since the machine was switched on: it has no battery, and soon somebody will. */
const leastWallMs = Date.UTC(2020, 0, 1);
const rowEveryMs = 1000;
/** Rows that are removed at a time, after a compaction or when the clock was set back. */
const rowsRemovedMax = 32;

export interface RevisionAtTime {
  /** The newest revision that surely was there. */
  readonly revision: Revision;
  /** The newest that may have been there. */
  readonly latestRevision: Revision;
  /** The next revision may have been made earlier than it came to this member. */
  readonly isUncertain: boolean;
}

interface Row {
  readonly key: string;
  readonly timeMs: number;
  readonly revision: Revision;
  readonly followsGap: boolean;
}

type TimesStore = Pick<MvccStore, "revision" | "compactRevision" | "noteMeta" | "metaRowAfter">;

export class RevisionTimes {
  readonly #store: TimesStore;
  readonly #clock: Pick<Clock, "wallMs">;
  readonly #leastMs: number;
  /** Everything up to here was seen by `note`. */
  #seen: Revision;
  /** The time of the newest row; undefined before the first of this run, or since the clock was set. */
  #lastMs: number | undefined;
  #prunedTo = -1;

  /** Nothing is recorded while the clock is before `leastMs`: what is recorded by a better one would be given up for it. */
  constructor(store: TimesStore, clock: Pick<Clock, "wallMs">, leastMs = leastWallMs) {
    this.#store = store;
    this.#clock = clock;
    this.#leastMs = leastMs;
    this.#seen = store.revision;
  }

  /** To be called after entries were applied, and before they are sealed. */
  note(): void {
    const { revision } = this.#store;
    if (revision === this.#seen) return;
    const first = (this.#seen + 1) as Revision;
    const nowMs = this.#clock.wallMs();
    this.#seen = revision;
    if (nowMs < this.#leastMs) {
      this.#lastMs = undefined;
      return;
    }
    const isFirst = this.#lastMs === undefined;
    const lastMs = this.#lastMs ?? this.#lastRowUpTo(Number.MAX_SAFE_INTEGER)?.timeMs ?? 0;
    const wasSetBack = nowMs < lastMs - rowEveryMs;
    // A time may come but once: what was recorded by a clock that ran ahead is given up.
    if (wasSetBack && !this.#forgetAfter(nowMs)) return;
    if (!isFirst && !wasSetBack && nowMs < lastMs + rowEveryMs) return;
    const timeMs = wasSetBack ? nowMs : Math.max(nowMs, lastMs + 1);
    this.#lastMs = timeMs;
    const value = encodeRow(first, isFirst || wasSetBack);
    this.#store.noteMeta({ bucket: timesBucket, key: keyOf(timeMs), value });
    this.#prune();
  }

  /** Which revision was the newest at a time. Throws an EtcdError if that is not known, or compacted. */
  at(timeMs: number): RevisionAtTime {
    if (timeMs > this.#clock.wallMs()) throw outOfRange("the time is in the future");
    const before = this.#lastRowUpTo(timeMs);
    const after = this.#rowAfter(timeMs);
    if (before === undefined) {
      if (after === undefined) throw outOfRange("there is no record of when revisions were made yet");
      const begin = new Date(after.timeMs).toISOString();
      throw outOfRange(`the time is before this member's record of when revisions were made, ${begin}`);
    }
    const latestRevision = (after === undefined ? this.#store.revision : after.revision - 1) as Revision;
    const isSettled = timeMs >= before.timeMs + rowEveryMs;
    const revision = isSettled ? latestRevision : before.revision;
    if (revision < this.#store.compactRevision) throw errors.compacted();
    return { revision, latestRevision, isUncertain: after?.followsGap ?? false };
  }

  #rowAfter(timeMs: number): Row | undefined {
    const row = this.#store.metaRowAfter(timesBucket, keyOf(timeMs));
    return row && decodeRow(row);
  }

  /** Buckets are only read forwards: the row is looked for by halves. */
  #lastRowUpTo(timeMs: number): Row | undefined {
    let found = this.#rowAfter(0);
    if (found === undefined || found.timeMs > timeMs) return undefined;
    let low = found.timeMs;
    let high = timeMs;
    while (low < high) {
      const middle = low + Math.ceil((high - low) / 2);
      // The first row at or after the middle.
      const row = this.#rowAfter(middle - 1);
      if (row === undefined || row.timeMs > timeMs) high = middle - 1;
      else {
        found = row;
        low = row.timeMs;
      }
    }
    return found;
  }

  /** False if there are more than are removed in one go. */
  #forgetAfter(timeMs: number): boolean {
    for (let removed = 0; removed < rowsRemovedMax; removed++) {
      const row = this.#rowAfter(timeMs);
      if (row === undefined) return true;
      this.#remove(row);
    }
    return this.#rowAfter(timeMs) === undefined;
  }

  /** Removes rows of revisions that are compacted, but for the last of them: it tells of the time up to the next. */
  #prune(): void {
    const { compactRevision } = this.#store;
    if (compactRevision <= this.#prunedTo) return;
    let row = this.#rowAfter(0);
    for (let removed = 0; removed < rowsRemovedMax; removed++) {
      const next = row && this.#rowAfter(row.timeMs);
      if (row === undefined || next === undefined || next.revision > compactRevision) {
        this.#prunedTo = compactRevision;
        return;
      }
      this.#remove(row);
      row = next;
    }
  }

  #remove({ key }: Row): void {
    this.#store.noteMeta({ bucket: timesBucket, key, value: undefined });
  }
}

function outOfRange(message: string): EtcdError {
  return new EtcdError(GrpcCode.outOfRange, `etclite: ${message}`);
}

/** Eight bytes, big-endian, as a binary string: in the order of time. */
function keyOf(timeMs: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(Math.max(0, Math.floor(timeMs))));
  return bytes.toString("latin1");
}

function encodeRow(revision: Revision, followsGap: boolean): Uint8Array {
  const bytes = Buffer.alloc(9);
  bytes.writeBigUInt64BE(BigInt(revision));
  bytes[8] = followsGap ? 1 : 0;
  return bytes;
}

function decodeRow({ key, value }: { key: string; value: Uint8Array }): Row {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  return {
    key,
    timeMs: Number(Buffer.from(key, "latin1").readBigUInt64BE()),
    revision: Number(bytes.readBigUInt64BE()) as Revision,
    followsGap: bytes[8] === 1,
  };
}
