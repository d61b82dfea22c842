/** Short ways to write logs by hand in tests. */
import assert from "node:assert/strict";
import type { MemberId, RaftIndex, Term } from "../../lib/ids.ts";
import {
  type Entry,
  EntryType,
  emptyConfState,
  type HardState,
  type SnapshotMark,
} from "../../lib/raft-entry.ts";
import { FaultDisk } from "../../lib/testing/fault-disk.ts";
import { type OpenedWal, openWal } from "../open.ts";
import { type Wal, type WalBatch, WalCorruptError, type WalOptions } from "../wal.ts";
import { TestClock } from "./test-clock.ts";

export const logDir = "/d/log";
export const logMetadata = Uint8Array.from([1, 2, 3]);

export function entry(index: number, term = 1, dataBytes = 10): Entry {
  const data = new Uint8Array(dataBytes).fill((index + term) & 255);
  return { type: EntryType.normal, term: term as Term, index: index as RaftIndex, data };
}

/** Entries `first` to `last`, both included. */
export function entries(first: number, last: number, term = 1, dataBytes = 10): Entry[] {
  return Array.from({ length: last - first + 1 }, (_, i) => entry(first + i, term, dataBytes));
}

export function hardState(term: number, vote: bigint, commit: number): HardState {
  return { term: term as Term, vote: vote as MemberId, commit: commit as RaftIndex };
}

export function mark(index: number, term: number): SnapshotMark {
  const confState = { ...emptyConfState, voters: [7n as MemberId] };
  return { index: index as RaftIndex, term: term as Term, confState };
}

/** A log on a simulated disk, with what it warned of. */
export class SmallLog {
  disk = new FaultDisk();
  readonly clock = new TestClock();
  readonly warnings: string[] = [];
  readonly syncs: number[] = [];
  #wal: Wal | undefined;
  #salt = 1;

  get wal(): Wal {
    return this.#wal!;
  }

  async open(from = 0, options: Partial<WalOptions> = {}): Promise<OpenedWal["contents"]> {
    const opened = await openWal(
      {
        dir: logDir,
        metadata: logMetadata,
        disk: this.disk,
        clock: this.clock,
        random: () => Math.imul(this.#salt++, 0x9e3779b1) >>> 0,
        onWarning: (message, fields) => this.warnings.push(`${message} ${JSON.stringify(fields)}`),
        onSync: (seconds) => this.syncs.push(seconds),
        ...options,
      },
      from as RaftIndex,
    );
    this.#wal = opened.wal;
    return opened.contents;
  }

  save(batch: Partial<WalBatch>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.wal.save({ entries: [], mustSync: true, ...batch }, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  close(): Promise<void> {
    return this.wal.close();
  }

  /** Closes, opens again, and gives what was found. */
  async reopen(from = 0, options: Partial<WalOptions> = {}): Promise<OpenedWal["contents"]> {
    await this.close();
    return this.open(from, options);
  }

  /** The names of the files in the log's folder, sorted. */
  files(): string[] {
    return this.disk.paths().map((path) => path.slice(logDir.length + 1));
  }
}

/** "index@term" of each entry. */
export function brief(list: readonly Entry[]): string {
  return list.map((item) => `${item.index}@${item.term}`).join(" ");
}

export const smallSegments = { segmentBytes: 4096 };

/** A log of several segments with entries 1 to `last`. */
export async function longLog(last: number): Promise<SmallLog> {
  const log = new SmallLog();
  await log.open(0, smallSegments);
  for (let index = 1; index <= last; index++) {
    await log.save({ entries: [entry(index, 1, 500)], hardState: hardState(1, 2n, index) });
  }
  return log;
}

/** Rejects as damaged, with these words. */
export async function refuses(opening: Promise<unknown>, words: RegExp): Promise<WalCorruptError> {
  try {
    await opening;
  } catch (error) {
    assert.ok(error instanceof WalCorruptError, String(error));
    assert.match(error.message, words);
    return error;
  }
  assert.fail("it was opened");
}

/** Where the frames of a segment begin. */
export function frameStarts(content: Uint8Array): number[] {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const starts: number[] = [];
  for (let at = 64; at + 32 <= content.length && view.getUint32(at, true) !== 0; ) {
    starts.push(at);
    at += 32 + view.getUint32(at + 12, true);
  }
  return starts;
}
