/**
 * Makes a segment that holds nothing yet but its head and the state of the log so far. It gets its name only when all
 * of that is durable, so a segment with a broken head is damage and never the trace of a crash.
 */
import type { Disk, DiskFile } from "../lib/disk.ts";
import { type SegmentHead, segmentHeadBytes, writeSegmentHead } from "./format.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import type { LogState } from "./log-state.ts";
import { hardStateRecord, metadataRecord, positionRecord, snapshotRecord } from "./records.ts";
import { type SegmentName, segmentName, temporarySuffix } from "./segment-name.ts";
import { explained } from "./wal.ts";

/** A segment with the place where its next frame goes. */
export interface OpenSegment {
  readonly name: SegmentName;
  readonly file: DiskFile;
  readonly salt: number;
  /** Where what it was made with ends. */
  readonly headEnd: number;
  /** The end of the last frame, and the checksum of its header. */
  readonly position: number;
  readonly chain: number;
  readonly sizeBytes: number;
}

export interface NewSegment {
  readonly disk: Disk;
  readonly dir: string;
  readonly sync: boolean;
  readonly metadata: Uint8Array;
  readonly state: LogState;
  readonly sequence: number;
  readonly salt: number;
  readonly previousEnd: number;
  readonly previousChain: number;
}

export async function createSegment(wanted: NewSegment): Promise<OpenSegment> {
  const { disk, dir, sync, salt } = wanted;
  const name = segmentName(wanted.sequence, wanted.state.lastIndex + 1);
  const path = `${dir}/${name.name}`;
  const temporary = path + temporarySuffix;
  const { bytes, chain } = firstBytes(wanted, name);
  const file = await explained("create", temporary, disk.open(temporary, "create"));
  try {
    if (sync) await explained("write", temporary, file.writeDurably(bytes, 0));
    else await explained("write", temporary, file.write(bytes, 0));
  } finally {
    await file.close();
  }
  await explained("rename", temporary, disk.rename(temporary, path));
  if (sync) await explained("sync the folder of", path, disk.syncDir(dir));
  const opened = await explained("open", path, disk.open(path, "write"));
  const end = bytes.length;
  return { name, file: opened, salt, headEnd: end, position: end, chain, sizeBytes: end };
}

function firstBytes(wanted: NewSegment, name: SegmentName): { bytes: Uint8Array; chain: number } {
  const { salt, previousEnd, previousChain, state } = wanted;
  const head: SegmentHead = {
    sequence: name.sequence,
    firstIndex: name.firstIndex,
    salt,
    previousEnd,
    previousChain,
  };
  const headBytes = new Uint8Array(segmentHeadBytes);
  const headChecksum = writeSegmentHead(new DataView(headBytes.buffer), head);
  const frame = new FrameBuffer();
  frame.addRecord(metadataRecord(wanted.metadata));
  frame.addRecord(positionRecord(state.lastIndex, state.lastTerm));
  if (state.snapshot !== undefined) frame.addRecord(snapshotRecord(state.snapshot));
  if (state.hardState !== undefined) frame.addRecord(hardStateRecord(state.hardState));
  const place = { position: segmentHeadBytes, salt, chain: headChecksum, durable: wanted.sync };
  const { bytes } = frame.finish(place, () => 0);
  const all = new Uint8Array(segmentHeadBytes + bytes.length);
  all.set(headBytes);
  all.set(bytes, segmentHeadBytes);
  return { bytes: all, chain: frame.chain };
}
