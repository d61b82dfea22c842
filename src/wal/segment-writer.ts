/** Writes frames to the newest segment, one at a time, and cuts to a new one when it is full. */
import type { Clock } from "../lib/clock.ts";
import type { Disk } from "../lib/disk.ts";
import { createSegment, type OpenSegment } from "./create-segment.ts";
import type { FrameBuffer } from "./frame-buffer.ts";
import type { LogState } from "./log-state.ts";
import type { SegmentName } from "./segment-name.ts";
import { explained } from "./wal.ts";

/** A durable write that takes longer is worth a warning: leaders lose their followers over it. */
const slowSyncSeconds = 1;

/**
 * Writing into a part of a file that was there before spares the file system its own journal: on ext4 a durable write
 * of 352 bytes then costs 4.9 KB on the device instead of 8.3 KB, and 222 us instead of 316 us. So a write that goes
 * beyond the end takes zeros for the next few along. Large writes gain nothing (their own data outweighs the journal)
 * and would be written twice.
 */
const zeroFillFlushBytesMax = 128 * 1024;
const zeroFillBytesMin = 64 * 1024;
const zeroFillBytesMax = 512 * 1024;
const zeroFillFlushes = 8;
const pageBytes = 4096;

export interface SegmentFile {
  readonly name: SegmentName;
  sizeBytes: number;
}

export interface SegmentWriterOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly dir: string;
  readonly segmentBytes: number;
  readonly sync: boolean;
  readonly metadata: Uint8Array;
  readonly random: () => number;
  readonly onSync: (seconds: number) => void;
  readonly onWarning: (message: string, fields: Record<string, unknown>) => void;
}

export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  /** All segments, oldest first; the last is written. */
  readonly segments: SegmentFile[];
  #open: OpenSegment;
  #position: number;
  #chain: number;
  /** Work that nobody waits for but `close`: closing and removing old files. Never rejects. */
  #background: Promise<void> = Promise.resolve();

  constructor(options: SegmentWriterOptions, older: readonly SegmentFile[], newest: OpenSegment) {
    this.#options = options;
    this.segments = [...older, { name: newest.name, sizeBytes: newest.sizeBytes }];
    this.#open = newest;
    this.#position = newest.position;
    this.#chain = newest.chain;
  }

  /** Writes a frame, to a new segment if this one is full. `before` is the state of the log without the frame.
   * Resolves when it is durable; after a rejection nothing more may be written. */
  async append(frame: FrameBuffer, before: LogState): Promise<void> {
    const full = this.#position + frame.size > this.#options.segmentBytes;
    // A frame larger than a segment gets one for itself, but never is an empty segment cut.
    if (full && !this.#isFresh()) await this.#cut(before);
    const { sync } = this.#options;
    const { file, name, salt } = this.#open;
    const place = { position: this.#position, salt, chain: this.#chain, durable: sync };
    const { frameBytes, bytes } = frame.finish(place, (end) => this.#zerosAfter(end));
    if (sync) await this.#durably(name.name, () => file.writeDurably(bytes, this.#position));
    else await explained("write", this.#path(name.name), file.write(bytes, this.#position));
    const current = this.segments.at(-1)!;
    current.sizeBytes = Math.max(current.sizeBytes, this.#position + bytes.length);
    this.#position += frameBytes;
    this.#chain = frame.chain;
  }

  /** Removes the oldest `count` segments in the background. */
  removeOldest(count: number): void {
    const gone = this.segments.splice(0, count);
    if (gone.length === 0) return;
    const { disk, dir } = this.#options;
    this.#inBackground("remove old log segments", async () => {
      for (const { name } of gone) await disk.remove(this.#path(name.name));
      await disk.syncDir(dir);
    });
  }

  async close(): Promise<void> {
    await this.#background;
    await this.#open.file.close();
  }

  #path(name: string): string {
    return `${this.#options.dir}/${name}`;
  }

  /** Whether the segment holds nothing but what it was made with. */
  #isFresh(): boolean {
    return this.#position === this.#open.headEnd;
  }

  #zerosAfter(frameEnd: number): number {
    const { sync, segmentBytes } = this.#options;
    const flushBytes = frameEnd - this.#position;
    const sizeBytes = this.segments.at(-1)!.sizeBytes;
    if (!sync || frameEnd <= sizeBytes || flushBytes > zeroFillFlushBytesMax) return 0;
    const ahead = Math.min(Math.max(flushBytes * zeroFillFlushes, zeroFillBytesMin), zeroFillBytesMax);
    const end = Math.ceil(Math.min(frameEnd + ahead, segmentBytes) / pageBytes) * pageBytes;
    return Math.max(end - frameEnd, 0);
  }

  async #durably(name: string, write: () => Promise<void>): Promise<void> {
    const { clock, onSync, onWarning } = this.#options;
    const begun = clock.monotonicMs();
    await explained("write", this.#path(name), write());
    const seconds = (clock.monotonicMs() - begun) / 1000;
    onSync(seconds);
    if (seconds > slowSyncSeconds) {
      onWarning("slow fdatasync", { took: `${seconds}s`, "expected-duration": `${slowSyncSeconds}s` });
    }
  }

  async #cut(state: LogState): Promise<void> {
    const { disk, dir, sync, metadata, random } = this.#options;
    const old = this.#open;
    const end = this.#position;
    this.#open = await createSegment({
      disk,
      dir,
      sync,
      metadata,
      state,
      sequence: old.name.sequence + 1,
      salt: random(),
      previousEnd: end,
      previousChain: this.#chain,
    });
    const oldEntry = this.segments.at(-1)!;
    oldEntry.sizeBytes = end;
    this.segments.push({ name: this.#open.name, sizeBytes: this.#open.sizeBytes });
    this.#position = this.#open.position;
    this.#chain = this.#open.chain;
    // What is behind the last frame is only zeros; the next segment says where this one ends.
    this.#inBackground("close a full log segment", async () => {
      await old.file.truncate(end);
      await old.file.close();
    });
  }

  #inBackground(what: string, work: () => Promise<void>): void {
    this.#background = this.#background.then(work).catch((error: unknown) => {
      this.#options.onWarning(`failed to ${what}`, { error: String(error) });
    });
  }
}
