/** Messages of the Cluster service. Fields are named as in etcd's .proto files. */
import { bool, inner, list, type MessageOf, message, string, uint64 } from "../wire/message.ts";
import { responseHeader } from "./kv.ts";

export const member = message({
  ID: uint64(1),
  name: string(2),
  peerURLs: list(string(3)),
  clientURLs: list(string(4)),
  isLearner: bool(5),
});
export type Member = MessageOf<typeof member>;

export const memberAddRequest = message({
  peerURLs: list(string(1)),
  isLearner: bool(2),
});
export type MemberAddRequest = MessageOf<typeof memberAddRequest>;

export const memberAddResponse = message({
  header: inner(1, responseHeader),
  member: inner(2, member),
  members: list(inner(3, member)),
});
export type MemberAddResponse = MessageOf<typeof memberAddResponse>;

export const memberRemoveRequest = message({
  ID: uint64(1),
});
export type MemberRemoveRequest = MessageOf<typeof memberRemoveRequest>;

export const memberRemoveResponse = message({
  header: inner(1, responseHeader),
  members: list(inner(2, member)),
});
export type MemberRemoveResponse = MessageOf<typeof memberRemoveResponse>;

export const memberUpdateRequest = message({
  ID: uint64(1),
  peerURLs: list(string(2)),
});
export type MemberUpdateRequest = MessageOf<typeof memberUpdateRequest>;

export const memberUpdateResponse = message({
  header: inner(1, responseHeader),
  members: list(inner(2, member)),
});
export type MemberUpdateResponse = MessageOf<typeof memberUpdateResponse>;

export const memberListRequest = message({
  linearizable: bool(1),
});
export type MemberListRequest = MessageOf<typeof memberListRequest>;

export const memberListResponse = message({
  header: inner(1, responseHeader),
  members: list(inner(2, member)),
});
export type MemberListResponse = MessageOf<typeof memberListResponse>;

export const memberPromoteRequest = message({
  ID: uint64(1),
});
export type MemberPromoteRequest = MessageOf<typeof memberPromoteRequest>;

export const memberPromoteResponse = message({
  header: inner(1, responseHeader),
  members: list(inner(2, member)),
});
export type MemberPromoteResponse = MessageOf<typeof memberPromoteResponse>;
