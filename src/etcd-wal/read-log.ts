/** Reads etcd's log from where a database ends. */
import { decodeEntry, decodeHardState } from "../codec/raft-log.ts";
import type { Disk } from "../lib/disk.ts";
import type { RaftIndex } from "../lib/ids.ts";
import type { Entry, HardState, SnapshotMark } from "../lib/raft-entry.ts";
import { EtcdWalError } from "./errors.ts";
import { decodeMark } from "./mark.ts";
import { type Frame, readFrames } from "./read-frames.ts";
import { nextCrc, RecordType } from "./record.ts";
import { type SegmentName, segmentsAmong } from "./segment-names.ts";

export interface EtcdLog {
  /** etcdserverpb.Metadata: who wrote it, in which cluster. */
  readonly metadata: Uint8Array;
  readonly hardState: HardState | undefined;
  /** The entries after the index that was asked for, without holes; the last ones may not be committed. */
  readonly entries: readonly Entry[];
  /** Marks of snapshots, in the order in which they were written. */
  readonly snapshots: readonly SnapshotMark[];
}

/** Rejects with an EtcdWalError if the log is damaged, or does not reach back to `from`. */
export async function readEtcdLog(disk: Disk, dir: string, from: RaftIndex): Promise<EtcdLog> {
  const segments = segmentsAmong(await disk.list(dir));
  const first = segments.findLastIndex(({ index }) => index <= from + 1);
  if (first < 0) throw new EtcdWalError(dir, undefined, `no file that goes back to entry ${from + 1}`);
  const log = new LogReader(from);
  const wanted = segments.slice(first);
  for (const [at, segment] of wanted.entries()) {
    const previous = wanted[at - 1];
    if (previous && segment.sequence !== previous.sequence + 1)
      throw new EtcdWalError(
        dir,
        undefined,
        `a file is missing between ${previous.name} and ${segment.name}`,
      );
    await readSegment(disk, dir, segment, at === wanted.length - 1, log);
  }
  if (log.metadata === undefined) throw new EtcdWalError(dir, undefined, "nothing that says who wrote it");
  return { ...log, metadata: log.metadata };
}

async function readSegment(disk: Disk, dir: string, { name }: SegmentName, isLast: boolean, log: LogReader) {
  const path = `${dir}/${name}`;
  const file = await disk.open(path, "read");
  try {
    for await (const frames of readFrames(file, path, isLast)) {
      for (const frame of frames) {
        if (!log.add(frame, path, isLast)) return;
      }
    }
  } finally {
    await file.close();
  }
}

/** Takes record after record. */
class LogReader {
  metadata: Uint8Array | undefined;
  hardState: HardState | undefined;
  readonly entries: Entry[] = [];
  readonly snapshots: SnapshotMark[] = [];
  readonly #from: RaftIndex;
  /** Unknown before the first checksum record. */
  #crc: number | undefined;

  constructor(from: RaftIndex) {
    this.#from = from;
  }

  /** False if the log ends before this record, which was not written to its end. */
  add({ record, offset, maybeTorn }: Frame, path: string, isLast: boolean): boolean {
    if (record.type === RecordType.checksum) {
      if (this.#crc !== undefined && this.#crc !== record.crc)
        throw new EtcdWalError(path, offset, "a checksum that does not continue that of the file before");
      this.#crc = record.crc;
      return true;
    }
    this.#crc = nextCrc(this.#crc ?? 0, record.data);
    if (this.#crc !== record.crc) {
      if (isLast && maybeTorn) return false;
      throw new EtcdWalError(path, offset, "a checksum that does not fit");
    }
    this.#take(record.type, record.data, path, offset);
    return true;
  }

  #take(type: RecordType, data: Uint8Array, path: string, offset: number): void {
    switch (type) {
      case RecordType.metadata:
        if (this.metadata && Buffer.compare(this.metadata, data) !== 0)
          throw new EtcdWalError(path, offset, "the metadata of another member");
        this.metadata = data.slice();
        return;
      case RecordType.hardState:
        this.hardState = decodeHardState(data);
        return;
      case RecordType.snapshot:
        this.#addSnapshot(decodeMark(data));
        return;
      case RecordType.entry:
        // Not a view: it would keep all of the piece.
        this.#addEntry(decodeEntry(data.slice()), path, offset);
    }
  }

  /** What a leader's snapshot covers is not in the log, which goes on after it. */
  #addSnapshot(mark: SnapshotMark): void {
    this.snapshots.push(mark);
    const last = this.entries.at(-1)?.index ?? this.#from;
    if (mark.index > last) this.entries.length = 0;
  }

  #addEntry(entry: Entry, path: string, offset: number): void {
    if (entry.index <= this.#from) {
      this.entries.length = 0;
      return;
    }
    const first = this.entries[0]?.index ?? entry.index;
    const at = entry.index - first;
    if (at < 0) this.entries.length = 0;
    else if (at > this.entries.length)
      throw new EtcdWalError(path, offset, `entries are missing before ${entry.index}`);
    else this.entries.length = at;
    this.entries.push(entry);
  }
}
