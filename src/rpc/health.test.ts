import assert from "node:assert/strict";
import { it } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import {
  HealthListResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "../gen/grpc/health/v1/health_pb.ts";
import type { GrpcCall } from "../transport/grpc.ts";
import { HealthStatus, healthHandlers } from "./health.ts";

it("lists the server as a whole, serving or not", () => {
  const health = new HealthStatus();
  const list = () => {
    let answer: Uint8Array | undefined;
    const call = { respond: (bytes: Uint8Array) => (answer = bytes) } as unknown as GrpcCall;
    healthHandlers(health)["List"]!.onRequest(call, new Uint8Array());
    const { statuses } = fromBinary(HealthListResponseSchema, answer ?? assert.fail("no answer"));
    return Object.entries(statuses).map(([name, { status }]) => [name, status]);
  };
  assert.deepEqual(list(), [["", Status.SERVING]]);
  health.set(false);
  assert.deepEqual(list(), [["", Status.NOT_SERVING]]);
});
