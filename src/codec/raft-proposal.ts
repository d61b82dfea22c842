/**
 * InternalRaftRequest as a member proposes it: the same bytes as `encodeRaftRequest`, made without 64-bit arithmetic,
 * because it is done for every write. The id comes in two parts that are exact as numbers.
 */

import {
  bytesFieldSize,
  encodeUtf8,
  numberFieldSize,
  sealed,
  varintSize,
  writeBytes,
  writeBytesField,
  writeNumberField,
  writeVarint,
} from "./protowire-write.ts";
import type { RaftField } from "./raft-internal.ts";

const headerField = 100;
const headerTag = headerField * 8 + 2;
const two28 = 2 ** 28;

/** A request's id: `prefix` are the upper 16 bits, `suffix` the lower 48. */
export interface SplitId {
  readonly prefix: number;
  readonly suffix: number;
}

/** Who asks, with authentication. */
export interface ProposalCaller {
  readonly username: string;
  readonly authRevision: number;
}

export function encodeRaftProposal(
  id: SplitId,
  field: RaftField,
  body: Uint8Array,
  caller?: ProposalCaller,
): Uint8Array {
  // The low 28 bits are four bytes of a varint, and what lies above them fits into a number.
  const low = id.suffix % two28;
  const high = id.prefix * 2 ** 20 + (id.suffix - low) / two28;
  const idSize = high === 0 ? varintSize(low) : 4 + varintSize(high);
  const headerSize = 1 + idSize + (caller === undefined ? 0 : callerSize(caller));
  const bodyTag = field * 8 + 2;
  const size =
    2 + varintSize(headerSize) + headerSize + varintSize(bodyTag) + varintSize(body.length) + body.length;
  const buffer = new Uint8Array(size);
  const bodyFirst = field < headerField;
  let at = bodyFirst ? writeBody(buffer, 0, bodyTag, body) : 0;
  at = writeVarint(buffer, at, headerTag);
  at = writeVarint(buffer, at, headerSize);
  buffer[at++] = 0x08;
  at = writeId(buffer, at, low, high);
  if (caller !== undefined) at = writeCaller(buffer, at, caller);
  return sealed(buffer, bodyFirst ? at : writeBody(buffer, at, bodyTag, body));
}

function writeId(buffer: Uint8Array, at: number, low: number, high: number): number {
  if (high === 0) return writeVarint(buffer, at, low);
  buffer[at++] = (low & 0x7f) | 0x80;
  buffer[at++] = ((low >>> 7) & 0x7f) | 0x80;
  buffer[at++] = ((low >>> 14) & 0x7f) | 0x80;
  buffer[at++] = (low >>> 21) | 0x80;
  return writeVarint(buffer, at, high);
}

function writeBody(buffer: Uint8Array, at: number, tag: number, body: Uint8Array): number {
  return writeBytes(buffer, writeVarint(buffer, writeVarint(buffer, at, tag), body.length), body);
}

/** Names come again and again. */
let lastName = "";
let lastNameBytes: Uint8Array = new Uint8Array(0);

function nameBytes(username: string): Uint8Array {
  if (username !== lastName) {
    lastName = username;
    lastNameBytes = encodeUtf8(username);
  }
  return lastNameBytes;
}

function callerSize({ username, authRevision }: ProposalCaller): number {
  return bytesFieldSize(nameBytes(username)) + numberFieldSize(authRevision);
}

function writeCaller(buffer: Uint8Array, at: number, { username, authRevision }: ProposalCaller): number {
  return writeNumberField(buffer, writeBytesField(buffer, at, 0x12, nameBytes(username)), 0x18, authRevision);
}
