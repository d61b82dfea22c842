// Written by .ci/make/message-tables.ts from grpc/health/v1/health.proto: `npm run gen`.

import type { EnumTable, MessageTable, ServiceTable } from "../../../../../codec/message-table.ts";
import type * as pb from "../../../../grpc/health/v1/health_pb.ts";

export type HealthCheckRequest = pb.HealthCheckRequest;
export type HealthCheckResponse = pb.HealthCheckResponse;
export type HealthListRequest = pb.HealthListRequest;
export type HealthListResponse = pb.HealthListResponse;

export const HealthCheckResponse_ServingStatus: typeof pb.HealthCheckResponse_ServingStatus = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 };
export type HealthCheckResponse_ServingStatus = pb.HealthCheckResponse_ServingStatus;
export const HealthCheckResponse_ServingStatusSchema: EnumTable = { kind: "enum", numbers: { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } };

export const HealthCheckRequestSchema: MessageTable<typeof pb.HealthCheckRequestSchema> = {
  kind: "message",
  typeName: "grpc.health.v1.HealthCheckRequest",
  rows: () => [
    [1, "service", "string"],
  ],
};

export const HealthCheckResponseSchema: MessageTable<typeof pb.HealthCheckResponseSchema> = {
  kind: "message",
  typeName: "grpc.health.v1.HealthCheckResponse",
  rows: () => [
    [1, "status", HealthCheckResponse_ServingStatusSchema],
  ],
};

export const HealthListRequestSchema: MessageTable<typeof pb.HealthListRequestSchema> = {
  kind: "message",
  typeName: "grpc.health.v1.HealthListRequest",
  rows: () => [],
};

export const HealthListResponseSchema: MessageTable<typeof pb.HealthListResponseSchema> = {
  kind: "message",
  typeName: "grpc.health.v1.HealthListResponse",
  rows: () => [],
};

export const Health: ServiceTable = {
  typeName: "grpc.health.v1.Health",
  rows: () => [
    ["Check", HealthCheckRequestSchema, HealthCheckResponseSchema, "unary"],
    ["List", HealthListRequestSchema, HealthListResponseSchema, "unary"],
    ["Watch", HealthCheckRequestSchema, HealthCheckResponseSchema, "server_streaming"],
  ],
};
