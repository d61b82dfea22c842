// Written by .ci/make/message-tables.ts from membershippb/membership.proto: `npm run gen`.

import type { MessageTable } from "../../../codec/message-table.ts";
import type * as pb from "../../membershippb/membership_pb.ts";

export type RaftAttributes = pb.RaftAttributes;
export type Attributes = pb.Attributes;
export type Member = pb.Member;
export type ClusterVersionSetRequest = pb.ClusterVersionSetRequest;
export type ClusterMemberAttrSetRequest = pb.ClusterMemberAttrSetRequest;
export type DowngradeInfoSetRequest = pb.DowngradeInfoSetRequest;

export const RaftAttributesSchema: MessageTable<typeof pb.RaftAttributesSchema> = {
  kind: "message",
  typeName: "membershippb.RaftAttributes",
  rows: () => [
    [1, "peer_urls", "string", "repeated"],
    [2, "is_learner", "bool"],
  ],
};

export const AttributesSchema: MessageTable<typeof pb.AttributesSchema> = {
  kind: "message",
  typeName: "membershippb.Attributes",
  rows: () => [
    [1, "name", "string"],
    [2, "client_urls", "string", "repeated"],
  ],
};

export const MemberSchema: MessageTable<typeof pb.MemberSchema> = {
  kind: "message",
  typeName: "membershippb.Member",
  rows: () => [
    [1, "ID", "uint64"],
    [2, "raft_attributes", RaftAttributesSchema],
    [3, "member_attributes", AttributesSchema],
  ],
};

export const ClusterVersionSetRequestSchema: MessageTable<typeof pb.ClusterVersionSetRequestSchema> = {
  kind: "message",
  typeName: "membershippb.ClusterVersionSetRequest",
  rows: () => [
    [1, "ver", "string"],
  ],
};

export const ClusterMemberAttrSetRequestSchema: MessageTable<typeof pb.ClusterMemberAttrSetRequestSchema> = {
  kind: "message",
  typeName: "membershippb.ClusterMemberAttrSetRequest",
  rows: () => [
    [1, "member_ID", "uint64"],
    [2, "member_attributes", AttributesSchema],
  ],
};

export const DowngradeInfoSetRequestSchema: MessageTable<typeof pb.DowngradeInfoSetRequestSchema> = {
  kind: "message",
  typeName: "membershippb.DowngradeInfoSetRequest",
  rows: () => [
    [1, "enabled", "bool"],
    [2, "ver", "string"],
  ],
};
