// Written by .ci/make/message-tables.ts from v3electionpb/v3election.proto: `npm run gen`.

import type { MessageTable, ServiceTable } from "../../../codec/message-table.ts";
import type * as pb from "../../v3electionpb/v3election_pb.ts";
import { ResponseHeaderSchema } from "../etcdserverpb/rpc.ts";
import { KeyValueSchema } from "../mvccpb/kv.ts";

export type CampaignRequest = pb.CampaignRequest;
export type CampaignResponse = pb.CampaignResponse;
export type LeaderKey = pb.LeaderKey;
export type LeaderRequest = pb.LeaderRequest;
export type LeaderResponse = pb.LeaderResponse;
export type ResignRequest = pb.ResignRequest;
export type ResignResponse = pb.ResignResponse;
export type ProclaimRequest = pb.ProclaimRequest;
export type ProclaimResponse = pb.ProclaimResponse;

export const CampaignRequestSchema: MessageTable<typeof pb.CampaignRequestSchema> = {
  kind: "message",
  typeName: "v3electionpb.CampaignRequest",
  rows: () => [
    [1, "name", "bytes"],
    [2, "lease", "int64"],
    [3, "value", "bytes"],
  ],
};

export const CampaignResponseSchema: MessageTable<typeof pb.CampaignResponseSchema> = {
  kind: "message",
  typeName: "v3electionpb.CampaignResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "leader", LeaderKeySchema],
  ],
};

export const LeaderKeySchema: MessageTable<typeof pb.LeaderKeySchema> = {
  kind: "message",
  typeName: "v3electionpb.LeaderKey",
  rows: () => [
    [1, "name", "bytes"],
    [2, "key", "bytes"],
    [3, "rev", "int64"],
    [4, "lease", "int64"],
  ],
};

export const LeaderRequestSchema: MessageTable<typeof pb.LeaderRequestSchema> = {
  kind: "message",
  typeName: "v3electionpb.LeaderRequest",
  rows: () => [
    [1, "name", "bytes"],
  ],
};

export const LeaderResponseSchema: MessageTable<typeof pb.LeaderResponseSchema> = {
  kind: "message",
  typeName: "v3electionpb.LeaderResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "kv", KeyValueSchema],
  ],
};

export const ResignRequestSchema: MessageTable<typeof pb.ResignRequestSchema> = {
  kind: "message",
  typeName: "v3electionpb.ResignRequest",
  rows: () => [
    [1, "leader", LeaderKeySchema],
  ],
};

export const ResignResponseSchema: MessageTable<typeof pb.ResignResponseSchema> = {
  kind: "message",
  typeName: "v3electionpb.ResignResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const ProclaimRequestSchema: MessageTable<typeof pb.ProclaimRequestSchema> = {
  kind: "message",
  typeName: "v3electionpb.ProclaimRequest",
  rows: () => [
    [1, "leader", LeaderKeySchema],
    [2, "value", "bytes"],
  ],
};

export const ProclaimResponseSchema: MessageTable<typeof pb.ProclaimResponseSchema> = {
  kind: "message",
  typeName: "v3electionpb.ProclaimResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const Election: ServiceTable = {
  typeName: "v3electionpb.Election",
  rows: () => [
    ["Campaign", CampaignRequestSchema, CampaignResponseSchema, "unary"],
    ["Proclaim", ProclaimRequestSchema, ProclaimResponseSchema, "unary"],
    ["Leader", LeaderRequestSchema, LeaderResponseSchema, "unary"],
    ["Observe", LeaderRequestSchema, LeaderResponseSchema, "server_streaming"],
    ["Resign", ResignRequestSchema, ResignResponseSchema, "unary"],
  ],
};
