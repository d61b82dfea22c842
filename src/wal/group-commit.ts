/** The open log: batches are encoded into frames as they come, and one frame at a time is on its way to disk. */
import { fail } from "../lib/assert.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import type { RaftIndex } from "../lib/ids.ts";
import type { Entry, HardState, SnapshotMark } from "../lib/raft-entry.ts";
import { frameTargetBytes } from "./format.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { type LogState, markReplacesLog, sameHardState } from "./log-state.ts";
import { hardStateRecord, snapshotRecord } from "./records.ts";
import { removableSegments } from "./release.ts";
import type { SegmentWriter } from "./segment-writer.ts";
import type { TermRuns } from "./term-runs.ts";
import type { Wal, WalBatch } from "./wal.ts";

type Done = (error?: Error) => void;

/**
 * A moved commit index alone is not worth a write of its own: it goes along with the next batch. Only when none comes
 * for so long is it written by itself, so that a log at rest says what was committed (`--force-new-cluster` and
 * offline tools rely on that), and then nothing is written at all.
 */
export const lazyWriteDelayMs = 5000;

/** Frames that were written and wait to be filled again. One is being filled and one written in steady state. */
const spareFramesMax = 2;

interface PendingFrame {
  readonly buffer: FrameBuffer;
  /** The log without this frame. */
  before: LogState;
  dones: Done[];
}

export class GroupCommit implements Wal {
  readonly #writer: SegmentWriter;
  readonly #clock: Clock;
  /** The log with everything that was saved, on disk or not. */
  #state: LogState;
  readonly #terms: TermRuns;
  /** Frames that are to be written: the last one is still being filled. How many bytes may wait is for the caller to
   * limit (Raft limits entries in flight). */
  #waiting: PendingFrame[] = [];
  #writing: PendingFrame | undefined;
  #started = false;
  #spare: PendingFrame[] = [];
  /** A hard state that is not in any frame yet. */
  #lazyState: HardState | undefined;
  #lazyTimer: Timer | undefined;
  #failure: Error | undefined;
  #idle: (() => void)[] = [];
  #closed: Promise<void> | undefined;

  constructor(writer: SegmentWriter, clock: Clock, state: LogState, terms: TermRuns) {
    this.#writer = writer;
    this.#clock = clock;
    this.#state = state;
    this.#terms = terms;
  }

  get sizeBytes(): number {
    let total = 0;
    for (const segment of this.#writer.segments) total += segment.sizeBytes;
    return total;
  }

  save(batch: WalBatch, done: Done): void {
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      queueMicrotask(() => done(failure));
      return;
    }
    this.#check(batch);
    const hardState = batch.hardState ?? this.#lazyState;
    if (!this.#isUrgent(batch, hardState)) {
      if (batch.hardState !== undefined) this.#saveLater(batch.hardState);
      this.#afterAllBefore(done);
      return;
    }
    let frame = this.#gatheringFrame();
    if (batch.snapshot !== undefined) this.#addSnapshot(frame, batch.snapshot);
    if (batch.entries.length > 0) frame = this.#addEntries(frame, batch.entries);
    if (hardState !== undefined) this.#addHardState(frame, hardState);
    frame.buffer.sum();
    frame.dones.push(done);
    this.#start();
  }

  release(index: RaftIndex, keepSegments: number): void {
    if (this.#failure !== undefined) return;
    const names = this.#writer.segments.map((segment) => segment.name);
    this.#writer.removeOldest(removableSegments(names, index, keepSegments));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#writeLazyState();
    if (this.#started) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#failure ??= new Error("wal: the log is closed");
    await this.#writer.close();
  }

  /** A batch that does not fit the log is a bug that would make the next start refuse the log: nothing is written. */
  #check({ entries, snapshot, hardState }: WalBatch): void {
    let last: number = this.#state.lastIndex;
    if (snapshot !== undefined && markReplacesLog(snapshot, last, this.#terms)) last = snapshot.index;
    if (entries.length > 0) {
      const first = entries[0]!.index;
      if (!(first >= 1 && first <= last + 1)) fail(`wal: entry ${first} does not follow entry ${last}`);
      for (let i = 1; i < entries.length; i++) {
        const { index } = entries[i]!;
        if (index !== first + i) fail(`wal: entry ${index} does not follow entry ${first + i - 1}`);
      }
      last = first + entries.length - 1;
    }
    if (hardState !== undefined && hardState.commit > last) {
      fail(`wal: commit index ${hardState.commit} is beyond the last entry ${last}`);
    }
  }

  /** Whether there is something that has to be on disk before the answer. */
  #isUrgent({ entries, snapshot, mustSync }: WalBatch, hardState: HardState | undefined): boolean {
    if (entries.length > 0 || snapshot !== undefined) return true;
    const known = this.#state.hardState;
    if (hardState === undefined || sameHardState(known, hardState)) return false;
    return mustSync || hardState.term !== known?.term || hardState.vote !== known.vote;
  }

  /** The frame that batches are added to: never one that is on its way. */
  #gatheringFrame(): PendingFrame {
    const last = this.#waiting.at(-1);
    if (last !== undefined && last.buffer.size < frameTargetBytes) return last;
    const next = this.#spare.pop() ?? { buffer: new FrameBuffer(), before: this.#state, dones: [] };
    next.before = this.#state;
    this.#waiting.push(next);
    return next;
  }

  #addSnapshot(frame: PendingFrame, snapshot: SnapshotMark): void {
    const { index, term } = snapshot;
    frame.buffer.addRecord(snapshotRecord(snapshot));
    if (markReplacesLog(snapshot, this.#state.lastIndex, this.#terms)) {
      this.#terms.set(index, term);
      this.#state = { ...this.#state, snapshot, lastIndex: index, lastTerm: term };
    } else {
      this.#state = { ...this.#state, snapshot };
    }
  }

  /** Gives the frame that holds the last entry. */
  #addEntries(frame: PendingFrame, entries: readonly Entry[]): PendingFrame {
    let { lastIndex, lastTerm } = this.#state;
    for (const entry of entries) {
      if (frame.buffer.size >= frameTargetBytes) {
        frame.buffer.sum();
        this.#state = { ...this.#state, lastIndex, lastTerm };
        frame = this.#gatheringFrame();
      }
      frame.buffer.addEntry(entry);
      // Also when entries before the end are replaced, and then in any term.
      if (entry.term !== lastTerm || entry.index <= lastIndex) this.#terms.set(entry.index, entry.term);
      lastIndex = entry.index;
      lastTerm = entry.term;
    }
    this.#state = { ...this.#state, lastIndex, lastTerm };
    return frame;
  }

  #addHardState(frame: PendingFrame, hardState: HardState): void {
    this.#lazyState = undefined;
    this.#lazyTimer?.cancel();
    this.#lazyTimer = undefined;
    if (sameHardState(this.#state.hardState, hardState)) return;
    frame.buffer.addRecord(hardStateRecord(hardState));
    this.#state = { ...this.#state, hardState };
  }

  #saveLater(hardState: HardState): void {
    if (sameHardState(this.#state.hardState, hardState)) return;
    this.#lazyState = hardState;
    this.#lazyTimer ??= this.#clock.after(lazyWriteDelayMs, () => this.#writeLazyState());
  }

  #writeLazyState(): void {
    if (this.#lazyState === undefined || this.#failure !== undefined) return;
    const frame = this.#gatheringFrame();
    this.#addHardState(frame, this.#lazyState);
    frame.buffer.sum();
    this.#start();
  }

  /** Callbacks come in the order of the calls, also of those that wait for nothing of their own. */
  #afterAllBefore(done: Done): void {
    const last = this.#waiting.at(-1) ?? this.#writing;
    if (last !== undefined) last.dones.push(done);
    else queueMicrotask(() => done());
  }

  /** What is saved in the rest of this turn's work still goes into the same frame. */
  #start(): void {
    if (this.#started) return;
    this.#started = true;
    queueMicrotask(() => void this.#writeAll());
  }

  /** Never rejects. */
  async #writeAll(): Promise<void> {
    try {
      let writing = this.#writeNext();
      while (writing !== undefined) {
        await writing;
        const written = this.#writing!;
        // The next write is under way before the answers to this one are made.
        writing = this.#writeNext();
        this.#finish(written);
        writing ??= this.#writeNext();
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    this.#started = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #writeNext(): Promise<void> | undefined {
    this.#writing = this.#waiting.shift();
    if (this.#writing === undefined) return undefined;
    return this.#writer.append(this.#writing.buffer, this.#writing.before);
  }

  #finish(frame: PendingFrame): void {
    const { dones } = frame;
    frame.dones = [];
    frame.buffer.clear();
    if (this.#spare.length < spareFramesMax) this.#spare.push(frame);
    for (const done of dones) callSafely(done, undefined);
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#lazyTimer?.cancel();
    const frames = this.#writing === undefined ? this.#waiting : [this.#writing, ...this.#waiting];
    this.#writing = undefined;
    this.#waiting = [];
    for (const frame of frames) for (const done of frame.dones) callSafely(done, error);
  }
}

/** An error in a callback is the caller's, and must neither end the log nor be lost. */
function callSafely(done: Done, error: Error | undefined): void {
  try {
    if (error === undefined) done();
    else done(error);
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}
