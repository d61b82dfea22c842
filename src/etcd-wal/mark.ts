/** walpb.Snapshot: a snapshot's place in the log. Its fields are numbered otherwise than those of raftpb's metadata. */

import { Reader } from "../codec/protowire-read.ts";
import { bytesFieldSize, varintSize, writeBytesField, writeVarint } from "../codec/protowire-write.ts";
import { decodeConfState, encodeConfState } from "../codec/raft-log.ts";
import type { RaftIndex, Term } from "../lib/ids.ts";
import { emptyConfState, type SnapshotMark } from "../lib/raft-entry.ts";

/** Throws a DecodeError. */
export function decodeMark(bytes: Uint8Array): SnapshotMark {
  const reader = new Reader(bytes);
  let [index, term] = [0, 0];
  let confState = emptyConfState;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) index = reader.safeUint();
    else if (tag === 0x10) term = reader.safeUint();
    else if (tag === 0x1a) confState = decodeConfState(reader.bytesField());
    else reader.skip(tag);
  }
  return { index: index as RaftIndex, term: term as Term, confState };
}

/** Without a configuration if it is empty, as in the mark that every log begins with. */
export function encodeMark({ index, term, confState }: SnapshotMark): Uint8Array {
  const conf = confState.voters.length === 0 ? new Uint8Array(0) : encodeConfState(confState);
  const buffer = new Uint8Array(2 + varintSize(index) + varintSize(term) + bytesFieldSize(conf));
  buffer[0] = 0x08;
  const at = writeVarint(buffer, 1, index);
  buffer[at] = 0x10;
  writeBytesField(buffer, writeVarint(buffer, at + 1, term), 0x1a, conf);
  return buffer;
}
