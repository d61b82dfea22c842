/** Messages of the Watch service. Fields are named as in etcd's .proto files. */
import {
  bool,
  bytes,
  enumeration,
  inner,
  int64,
  list,
  type MessageOf,
  message,
  oneof,
  string,
} from "../wire/message.ts";
import { keyValue, responseHeader } from "./kv.ts";

export const event = message({
  type: enumeration(1),
  kv: inner(2, keyValue),
  prev_kv: inner(3, keyValue),
});
export type Event = MessageOf<typeof event>;

export const watchCreateRequest = message({
  key: bytes(1),
  range_end: bytes(2),
  start_revision: int64(3),
  progress_notify: bool(4),
  filters: list(enumeration(5)),
  prev_kv: bool(6),
  watch_id: int64(7),
  fragment: bool(8),
});
export type WatchCreateRequest = MessageOf<typeof watchCreateRequest>;

export const watchCancelRequest = message({
  watch_id: int64(1),
});
export type WatchCancelRequest = MessageOf<typeof watchCancelRequest>;

export const watchProgressRequest = message({});
export type WatchProgressRequest = MessageOf<typeof watchProgressRequest>;

export const watchRequest = message({
  create_request: oneof(inner(1, watchCreateRequest)),
  cancel_request: oneof(inner(2, watchCancelRequest)),
  progress_request: oneof(inner(3, watchProgressRequest)),
});
export type WatchRequest = MessageOf<typeof watchRequest>;

export const watchResponse = message({
  header: inner(1, responseHeader),
  watch_id: int64(2),
  created: bool(3),
  canceled: bool(4),
  compact_revision: int64(5),
  cancel_reason: string(6),
  fragment: bool(7),
  events: list(inner(11, event)),
});
export type WatchResponse = MessageOf<typeof watchResponse>;
