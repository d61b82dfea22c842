// Written by .ci/make/message-tables.ts from leasepb/lease.proto: `npm run gen`.

import type { MessageTable } from "../../../codec/message-table.ts";
import type * as pb from "../../leasepb/lease_pb.ts";
import { LeaseTimeToLiveRequestSchema, LeaseTimeToLiveResponseSchema } from "../etcdserverpb/rpc.ts";

export type Lease = pb.Lease;
export type LeaseInternalRequest = pb.LeaseInternalRequest;
export type LeaseInternalResponse = pb.LeaseInternalResponse;

export const LeaseSchema: MessageTable<typeof pb.LeaseSchema> = {
  kind: "message",
  typeName: "leasepb.Lease",
  rows: () => [
    [1, "ID", "int64"],
    [2, "TTL", "int64"],
    [3, "RemainingTTL", "int64"],
  ],
};

export const LeaseInternalRequestSchema: MessageTable<typeof pb.LeaseInternalRequestSchema> = {
  kind: "message",
  typeName: "leasepb.LeaseInternalRequest",
  rows: () => [
    [1, "LeaseTimeToLiveRequest", LeaseTimeToLiveRequestSchema],
  ],
};

export const LeaseInternalResponseSchema: MessageTable<typeof pb.LeaseInternalResponseSchema> = {
  kind: "message",
  typeName: "leasepb.LeaseInternalResponse",
  rows: () => [
    [1, "LeaseTimeToLiveResponse", LeaseTimeToLiveResponseSchema],
  ],
};
