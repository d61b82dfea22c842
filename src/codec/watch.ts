/**
 * WatchRequest and WatchResponse. An event that many watchers see is encoded once (`encodeWatchEvent`); an answer is
 * its own few fields followed by the bytes of its events.
 */
import { type HeaderFields, headerSize, writeHeader } from "./header.ts";
import { keyValueFieldSize, writeKeyValueField } from "./key-value.ts";
import type { KeyValue } from "./kv.ts";
import type { Mutable } from "./mutable.ts";
import { noBytes, Reader } from "./protowire-read.ts";
import {
  bigFieldSize,
  boolFieldSize,
  bytesFieldSize,
  encodeUtf8,
  lengthFieldSize,
  numberFieldSize,
  sealed,
  writeBigField,
  writeBoolField,
  writeBytes,
  writeBytesField,
  writeLength,
  writeNumberField,
} from "./protowire-write.ts";

/** WatchCreateRequest.FilterType. */
export const WatchFilter = { noPut: 0, noDelete: 1 } as const;

export interface WatchCreateRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly startRevision: number;
  readonly progressNotify: boolean;
  readonly filters: readonly number[];
  readonly prevKv: boolean;
  /** Chosen by the client; 0n lets the server choose. All 64 bits, signed. */
  readonly watchId: bigint;
  readonly fragment: boolean;
}

export type WatchRequest =
  | { readonly kind: "create"; readonly create: WatchCreateRequest }
  | { readonly kind: "cancel"; readonly watchId: bigint }
  | { readonly kind: "progress" }
  /** Nothing that is known. etcd ignores it. */
  | { readonly kind: "none" };

export function decodeWatchRequest(bytes: Uint8Array): WatchRequest {
  const reader = new Reader(bytes);
  let request: WatchRequest = { kind: "none" };
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a || tag === 0x12 || tag === 0x1a) {
      const outer = reader.enter();
      request = readWatchUnion(reader, tag, request);
      reader.leave(outer);
    } else {
      reader.skip(tag);
    }
  }
  return request;
}

function readWatchUnion(reader: Reader, tag: number, before: WatchRequest): WatchRequest {
  if (tag === 0x0a) {
    const into = before.kind === "create" ? before.create : emptyWatchCreateRequest();
    return { kind: "create", create: readWatchCreateRequest(reader, into) };
  }
  let watchId = tag === 0x12 && before.kind === "cancel" ? before.watchId : 0n;
  while (reader.more()) {
    const field = reader.tag();
    if (tag === 0x12 && field === 0x08) watchId = reader.bigInt();
    else reader.skip(field);
  }
  return tag === 0x12 ? { kind: "cancel", watchId } : { kind: "progress" };
}

function emptyWatchCreateRequest(): WatchCreateRequest {
  return {
    key: noBytes,
    rangeEnd: noBytes,
    startRevision: 0,
    progressNotify: false,
    filters: [],
    prevKv: false,
    watchId: 0n,
    fragment: false,
  };
}

function readWatchCreateRequest(reader: Reader, into: WatchCreateRequest): WatchCreateRequest {
  const create: Mutable<WatchCreateRequest> = into;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) create.key = reader.bytesField();
    else if (tag === 0x12) create.rangeEnd = reader.bytesField();
    else if (tag === 0x18) create.startRevision = reader.int();
    else if (tag === 0x20) create.progressNotify = reader.bool();
    else if (tag === 0x28) create.filters = [...create.filters, reader.enum()];
    else if (tag === 0x2a) create.filters = [...create.filters, ...readPackedEnums(reader)];
    else if (tag === 0x30) create.prevKv = reader.bool();
    else if (tag === 0x38) create.watchId = reader.bigInt();
    else if (tag === 0x40) create.fragment = reader.bool();
    else reader.skip(tag);
  }
  return create;
}

function readPackedEnums(reader: Reader): number[] {
  const values: number[] = [];
  const outer = reader.enter();
  while (reader.more()) values.push(reader.enum());
  reader.leave(outer);
  return values;
}

/** mvccpb.Event. For a delete `kv` has a key and a modRevision and is otherwise empty. */
export interface WatchEvent {
  readonly kind: "put" | "delete";
  readonly kv: KeyValue;
  readonly prevKv: KeyValue | undefined;
}

/** An event as it stands in a WatchResponse, with tag and length. */
export function encodeWatchEvent(event: WatchEvent): Uint8Array {
  const size =
    (event.kind === "delete" ? 2 : 0) +
    keyValueFieldSize(event.kv) +
    (event.prevKv === undefined ? 0 : keyValueFieldSize(event.prevKv));
  const buffer = new Uint8Array(lengthFieldSize(size));
  let at = writeLength(buffer, 0, 0x5a, size);
  at = writeNumberField(buffer, at, 0x08, event.kind === "delete" ? 1 : 0);
  at = writeKeyValueField(buffer, at, 0x12, event.kv);
  if (event.prevKv !== undefined) at = writeKeyValueField(buffer, at, 0x1a, event.prevKv);
  return sealed(buffer, at);
}

export interface WatchResponse {
  readonly watchId: bigint;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
  readonly fragment: boolean;
  /** From `encodeWatchEvent`. */
  readonly events: readonly Uint8Array[];
}

/** An answer that says nothing, to be filled in. */
export const emptyWatchResponse: WatchResponse = {
  watchId: 0n,
  created: false,
  canceled: false,
  compactRevision: 0,
  cancelReason: "",
  fragment: false,
  events: [],
};

/** Size of the encoded answer in bytes: what decides whether it has to be sent in fragments. */
export function watchResponseSize(header: HeaderFields, response: WatchResponse): number {
  let size = watchHeadSize(header, response, encodeUtf8(response.cancelReason));
  for (const event of response.events) size += event.length;
  return size;
}

function watchHeadSize(header: HeaderFields, response: WatchResponse, cancelReason: Uint8Array): number {
  return (
    headerSize(header) +
    bigFieldSize(response.watchId) +
    boolFieldSize(response.created) +
    boolFieldSize(response.canceled) +
    numberFieldSize(response.compactRevision) +
    bytesFieldSize(cancelReason) +
    boolFieldSize(response.fragment)
  );
}

export function encodeWatchResponse(header: HeaderFields, response: WatchResponse): Uint8Array {
  const cancelReason = response.cancelReason === "" ? noBytes : encodeUtf8(response.cancelReason);
  let size = watchHeadSize(header, response, cancelReason);
  for (const event of response.events) size += event.length;
  const buffer = new Uint8Array(size);
  let at = writeHeader(buffer, 0, header);
  at = writeBigField(buffer, at, 0x10, response.watchId);
  at = writeBoolField(buffer, at, 0x18, response.created);
  at = writeBoolField(buffer, at, 0x20, response.canceled);
  at = writeNumberField(buffer, at, 0x28, response.compactRevision);
  at = writeBytesField(buffer, at, 0x32, cancelReason);
  at = writeBoolField(buffer, at, 0x38, response.fragment);
  for (const event of response.events) at = writeBytes(buffer, at, event);
  return sealed(buffer, at);
}
