// Written by .ci/make/message-tables.ts from v3lockpb/v3lock.proto: `npm run gen`.

import type { MessageTable, ServiceTable } from "../../../codec/message-table.ts";
import type * as pb from "../../v3lockpb/v3lock_pb.ts";
import { ResponseHeaderSchema } from "../etcdserverpb/rpc.ts";

export type LockRequest = pb.LockRequest;
export type LockResponse = pb.LockResponse;
export type UnlockRequest = pb.UnlockRequest;
export type UnlockResponse = pb.UnlockResponse;

export const LockRequestSchema: MessageTable<typeof pb.LockRequestSchema> = {
  kind: "message",
  typeName: "v3lockpb.LockRequest",
  rows: () => [
    [1, "name", "bytes"],
    [2, "lease", "int64"],
  ],
};

export const LockResponseSchema: MessageTable<typeof pb.LockResponseSchema> = {
  kind: "message",
  typeName: "v3lockpb.LockResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "key", "bytes"],
  ],
};

export const UnlockRequestSchema: MessageTable<typeof pb.UnlockRequestSchema> = {
  kind: "message",
  typeName: "v3lockpb.UnlockRequest",
  rows: () => [
    [1, "key", "bytes"],
  ],
};

export const UnlockResponseSchema: MessageTable<typeof pb.UnlockResponseSchema> = {
  kind: "message",
  typeName: "v3lockpb.UnlockResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const Lock: ServiceTable = {
  typeName: "v3lockpb.Lock",
  rows: () => [
    ["Lock", LockRequestSchema, LockResponseSchema, "unary"],
    ["Unlock", UnlockRequestSchema, UnlockResponseSchema, "unary"],
  ],
};
