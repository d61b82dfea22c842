/** The messages of the Lease service that come often: grant, revoke, keep-alive, and the checkpoints in the log. */
import type { LeaseId } from "../lib/ids.ts";
import { type HeaderFields, headerSize, writeHeader } from "./header.ts";
import type { Mutable } from "./mutable.ts";
import { Reader } from "./protowire-read.ts";
import {
  bigFieldSize,
  lengthFieldSize,
  numberFieldSize,
  sealed,
  writeBigField,
  writeLength,
  writeNumberField,
} from "./protowire-write.ts";

export interface LeaseGrantRequest {
  readonly ttlSeconds: number;
  /** 0n lets the server choose. */
  readonly id: LeaseId;
}

export function decodeLeaseGrantRequest(bytes: Uint8Array): LeaseGrantRequest {
  return readLeaseGrantRequest(new Reader(bytes), emptyLeaseGrantRequest());
}

export function emptyLeaseGrantRequest(): LeaseGrantRequest {
  return { ttlSeconds: 0, id: 0n as LeaseId };
}

export function readLeaseGrantRequest(reader: Reader, into: LeaseGrantRequest): LeaseGrantRequest {
  const request: Mutable<LeaseGrantRequest> = into;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) request.ttlSeconds = reader.int();
    else if (tag === 0x10) request.id = reader.bigInt() as LeaseId;
    else reader.skip(tag);
  }
  return request;
}

/** For the log: with the id that the server chose. */
export function encodeLeaseGrantRequest(request: LeaseGrantRequest): Uint8Array {
  const buffer = new Uint8Array(numberFieldSize(request.ttlSeconds) + bigFieldSize(request.id));
  const at = writeNumberField(buffer, 0, 0x08, request.ttlSeconds);
  return sealed(buffer, writeBigField(buffer, at, 0x10, request.id));
}

export function encodeLeaseGrantResponse(header: HeaderFields, response: LeaseGrantRequest): Uint8Array {
  return encodeIdAndTtl(header, response);
}

/** A keep-alive's answer. `ttlSeconds` is 0 for a lease that does not exist. */
export function encodeLeaseKeepAliveResponse(header: HeaderFields, response: LeaseGrantRequest): Uint8Array {
  return encodeIdAndTtl(header, response);
}

function encodeIdAndTtl(header: HeaderFields, response: LeaseGrantRequest): Uint8Array {
  const size = headerSize(header) + bigFieldSize(response.id) + numberFieldSize(response.ttlSeconds);
  const buffer = new Uint8Array(size);
  let at = writeHeader(buffer, 0, header);
  at = writeBigField(buffer, at, 0x10, response.id);
  return sealed(buffer, writeNumberField(buffer, at, 0x18, response.ttlSeconds));
}

/** LeaseRevokeRequest and LeaseKeepAliveRequest: the id and nothing else. */
export function decodeLeaseId(bytes: Uint8Array): LeaseId {
  return readLeaseId(new Reader(bytes), 0n as LeaseId);
}

export function readLeaseId(reader: Reader, before: LeaseId): LeaseId {
  let id = before;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) id = reader.bigInt() as LeaseId;
    else reader.skip(tag);
  }
  return id;
}

/** LeaseRevokeRequest, for the log. */
export function encodeLeaseId(id: LeaseId): Uint8Array {
  const buffer = new Uint8Array(bigFieldSize(id));
  return sealed(buffer, writeBigField(buffer, 0, 0x08, id));
}

export interface LeaseCheckpoint {
  readonly id: LeaseId;
  /** 0: the lease has its full time again. */
  readonly remainingTtlSeconds: number;
}

export function decodeLeaseCheckpointRequest(bytes: Uint8Array): LeaseCheckpoint[] {
  return readLeaseCheckpoints(new Reader(bytes), []);
}

export function readLeaseCheckpoints(reader: Reader, checkpoints: LeaseCheckpoint[]): LeaseCheckpoint[] {
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) checkpoints.push(readLeaseCheckpoint(reader));
    else reader.skip(tag);
  }
  return checkpoints;
}

function readLeaseCheckpoint(reader: Reader): LeaseCheckpoint {
  let id = 0n;
  let remainingTtlSeconds = 0;
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) id = reader.bigInt();
    else if (tag === 0x10) remainingTtlSeconds = reader.int();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { id: id as LeaseId, remainingTtlSeconds };
}

export function encodeLeaseCheckpointRequest(checkpoints: readonly LeaseCheckpoint[]): Uint8Array {
  let size = 0;
  for (const checkpoint of checkpoints) size += lengthFieldSize(checkpointSize(checkpoint));
  const buffer = new Uint8Array(size);
  let at = 0;
  for (const checkpoint of checkpoints) {
    at = writeLength(buffer, at, 0x0a, checkpointSize(checkpoint));
    at = writeBigField(buffer, at, 0x08, checkpoint.id);
    at = writeNumberField(buffer, at, 0x10, checkpoint.remainingTtlSeconds);
  }
  return sealed(buffer, at);
}

function checkpointSize(checkpoint: LeaseCheckpoint): number {
  return bigFieldSize(checkpoint.id) + numberFieldSize(checkpoint.remainingTtlSeconds);
}
