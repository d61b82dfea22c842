// Written by .ci/make/message-tables.ts from etclitepb/explore.proto: `npm run gen`.

import type { MessageTable, ServiceTable } from "../../../codec/message-table.ts";
import type * as pb from "../../etclitepb/explore_pb.ts";
import { ResponseHeaderSchema } from "../etcdserverpb/rpc.ts";

export type ListLevelRequest = pb.ListLevelRequest;
export type LevelEntry = pb.LevelEntry;
export type ListLevelResponse = pb.ListLevelResponse;
export type RevisionAtRequest = pb.RevisionAtRequest;
export type RevisionAtResponse = pb.RevisionAtResponse;

export const ListLevelRequestSchema: MessageTable<typeof pb.ListLevelRequestSchema> = {
  kind: "message",
  typeName: "etclitepb.ListLevelRequest",
  rows: () => [
    [1, "prefix_length", "int64"],
    [2, "key", "bytes"],
    [3, "range_end", "bytes"],
    [4, "separator", "bytes"],
    [5, "limit", "int64"],
    [6, "revision", "int64"],
    [7, "serializable", "bool"],
    [8, "count", "bool"],
  ],
};

export const LevelEntrySchema: MessageTable<typeof pb.LevelEntrySchema> = {
  kind: "message",
  typeName: "etclitepb.LevelEntry",
  rows: () => [
    [1, "key", "bytes"],
    [2, "is_branch", "bool"],
    [3, "count", "int64"],
  ],
};

export const ListLevelResponseSchema: MessageTable<typeof pb.ListLevelResponseSchema> = {
  kind: "message",
  typeName: "etclitepb.ListLevelResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "entries", LevelEntrySchema, "repeated"],
    [3, "next", "bytes"],
  ],
};

export const RevisionAtRequestSchema: MessageTable<typeof pb.RevisionAtRequestSchema> = {
  kind: "message",
  typeName: "etclitepb.RevisionAtRequest",
  rows: () => [
    [1, "time_ms", "int64"],
  ],
};

export const RevisionAtResponseSchema: MessageTable<typeof pb.RevisionAtResponseSchema> = {
  kind: "message",
  typeName: "etclitepb.RevisionAtResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "revision", "int64"],
    [3, "latest_revision", "int64"],
    [4, "is_uncertain", "bool"],
  ],
};

export const Explore: ServiceTable = {
  typeName: "etclitepb.Explore",
  rows: () => [
    ["ListLevel", ListLevelRequestSchema, ListLevelResponseSchema, "unary"],
    ["RevisionAt", RevisionAtRequestSchema, RevisionAtResponseSchema, "unary"],
  ],
};
