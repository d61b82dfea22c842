/** Messages of the KV service, and those that all services share. Fields are named as in etcd's .proto files. */
import {
  bool,
  bytes,
  enumeration,
  inner,
  int64,
  list,
  type MessageOf,
  type MessageType,
  message,
  oneof,
  uint64,
} from "../wire/message.ts";

export const responseHeader = message({
  cluster_id: uint64(1),
  member_id: uint64(2),
  revision: int64(3),
  raft_term: uint64(4),
});
export type ResponseHeader = MessageOf<typeof responseHeader>;

export const keyValue = message({
  key: bytes(1),
  create_revision: int64(2),
  mod_revision: int64(3),
  version: int64(4),
  value: bytes(5),
  lease: int64(6),
});
export type KeyValue = MessageOf<typeof keyValue>;

export const rangeRequest = message({
  key: bytes(1),
  range_end: bytes(2),
  limit: int64(3),
  revision: int64(4),
  sort_order: enumeration(5),
  sort_target: enumeration(6),
  serializable: bool(7),
  keys_only: bool(8),
  count_only: bool(9),
  min_mod_revision: int64(10),
  max_mod_revision: int64(11),
  min_create_revision: int64(12),
  max_create_revision: int64(13),
});
export type RangeRequest = MessageOf<typeof rangeRequest>;

export const rangeResponse = message({
  header: inner(1, responseHeader),
  kvs: list(inner(2, keyValue)),
  more: bool(3),
  count: int64(4),
});
export type RangeResponse = MessageOf<typeof rangeResponse>;

export const rangeStreamResponse = message({
  range_response: inner(1, rangeResponse),
});
export type RangeStreamResponse = MessageOf<typeof rangeStreamResponse>;

export const putRequest = message({
  key: bytes(1),
  value: bytes(2),
  lease: int64(3),
  prev_kv: bool(4),
  ignore_value: bool(5),
  ignore_lease: bool(6),
});
export type PutRequest = MessageOf<typeof putRequest>;

export const putResponse = message({
  header: inner(1, responseHeader),
  prev_kv: inner(2, keyValue),
});
export type PutResponse = MessageOf<typeof putResponse>;

export const deleteRangeRequest = message({
  key: bytes(1),
  range_end: bytes(2),
  prev_kv: bool(3),
});
export type DeleteRangeRequest = MessageOf<typeof deleteRangeRequest>;

export const deleteRangeResponse = message({
  header: inner(1, responseHeader),
  deleted: int64(2),
  prev_kvs: list(inner(3, keyValue)),
});
export type DeleteRangeResponse = MessageOf<typeof deleteRangeResponse>;

export const compare = message({
  result: enumeration(1),
  target: enumeration(2),
  key: bytes(3),
  version: oneof(int64(4)),
  create_revision: oneof(int64(5)),
  mod_revision: oneof(int64(6)),
  value: oneof(bytes(7)),
  lease: oneof(int64(8)),
  range_end: bytes(64),
});
export type Compare = MessageOf<typeof compare>;

export const requestOp = message({
  request_range: oneof(inner(1, rangeRequest)),
  request_put: oneof(inner(2, putRequest)),
  request_delete_range: oneof(inner(3, deleteRangeRequest)),
  request_txn: oneof(inner(4, (): MessageType<TxnRequest> => txnRequest)),
});
export type RequestOp = MessageOf<typeof requestOp>;

export interface TxnRequest {
  compare: Compare[];
  success: RequestOp[];
  failure: RequestOp[];
}
export const txnRequest: MessageType<TxnRequest> = message({
  compare: list(inner(1, compare)),
  success: list(inner(2, requestOp)),
  failure: list(inner(3, requestOp)),
});

export const responseOp = message({
  response_range: oneof(inner(1, rangeResponse)),
  response_put: oneof(inner(2, putResponse)),
  response_delete_range: oneof(inner(3, deleteRangeResponse)),
  response_txn: oneof(inner(4, (): MessageType<TxnResponse> => txnResponse)),
});
export type ResponseOp = MessageOf<typeof responseOp>;

export interface TxnResponse {
  header: ResponseHeader | undefined;
  succeeded: boolean;
  responses: ResponseOp[];
}
export const txnResponse: MessageType<TxnResponse> = message({
  header: inner(1, responseHeader),
  succeeded: bool(2),
  responses: list(inner(3, responseOp)),
});

export const compactionRequest = message({
  revision: int64(1),
  physical: bool(2),
});
export type CompactionRequest = MessageOf<typeof compactionRequest>;

export const compactionResponse = message({
  header: inner(1, responseHeader),
});
export type CompactionResponse = MessageOf<typeof compactionResponse>;
