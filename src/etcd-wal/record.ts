/** One record of etcd's log: its frame, its type, and the running checksum. */
import { DecodeError, Reader } from "../codec/protowire-read.ts";
import { bytesFieldSize, varintSize, writeBytesField, writeVarint } from "../codec/protowire-write.ts";
import { crc32c } from "../lib/crc32c.ts";

export const RecordType = { metadata: 1, entry: 2, hardState: 3, checksum: 4, snapshot: 5 } as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

export interface WalRecord {
  readonly type: RecordType;
  readonly crc: number;
  /** A view into what it was read from. */
  readonly data: Uint8Array;
}

export const frameHeadBytes = 8;
/** Records begin at multiples of this. */
const alignment = 8;

/** What a frame's eight bytes of length say. */
export interface FrameLength {
  readonly recordBytes: number;
  readonly paddingBytes: number;
}

/** Undefined for zeros: nothing more was written. */
export function readFrameLength(view: DataView, at: number): FrameLength | undefined {
  const low = view.getUint32(at, true);
  const high = view.getUint32(at + 4, true);
  if (low === 0 && high === 0) return undefined;
  const top = high >>> 24;
  return { recordBytes: low + (high & 0xffffff) * 2 ** 32, paddingBytes: top & 0x80 ? top & 7 : 0 };
}

/** Throws a DecodeError. */
export function decodeRecord(bytes: Uint8Array): WalRecord {
  const reader = new Reader(bytes);
  let [type, crc] = [0, 0];
  let data: Uint8Array = new Uint8Array(0);
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) type = reader.safeUint();
    else if (tag === 0x10) crc = reader.safeUint();
    else if (tag === 0x1a) data = reader.bytesField();
    else reader.skip(tag);
  }
  if (type < RecordType.metadata || type > RecordType.snapshot)
    throw new DecodeError(`unknown record type ${type}`);
  return { type: type as RecordType, crc, data };
}

/** A record with its frame; `crc` is the running checksum, `data` counted in. */
export function encodeFrame(type: RecordType, crc: number, data: Uint8Array): Uint8Array {
  const recordBytes = 2 + varintSize(type) - 1 + 1 + varintSize(crc) + bytesFieldSize(data);
  const paddingBytes = (alignment - (recordBytes % alignment)) % alignment;
  const frame = new Uint8Array(frameHeadBytes + recordBytes + paddingBytes);
  const view = new DataView(frame.buffer);
  view.setUint32(0, recordBytes, true);
  if (paddingBytes > 0) view.setUint32(4, (0x80 | paddingBytes) << 24, true);
  let at = frameHeadBytes;
  frame[at++] = 0x08;
  at = writeVarint(frame, at, type);
  frame[at++] = 0x10;
  at = writeVarint(frame, at, crc);
  writeBytesField(frame, at, 0x1a, data);
  return frame;
}

export const nextCrc = (crc: number, data: Uint8Array): number => crc32c(data, crc);
