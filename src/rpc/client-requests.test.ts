import assert from "node:assert/strict";
import { it } from "node:test";
import { Metrics } from "../lib/metrics.ts";
import type { GrpcCall } from "../transport/grpc.ts";
import { ClientRequests } from "./client-requests.ts";

const callOf = (version: string | undefined) =>
  ({
    metadata: { get: (name: string) => (name === "client-api-version" ? version : undefined) },
  }) as unknown as GrpcCall;

it("counts by kind and version, however many versions clients think of", () => {
  const metrics = new Metrics();
  const requests = new ClientRequests(metrics);
  const call = callOf("3.7");
  requests.count(call, "unary");
  requests.count(call, "unary");
  requests.count(callOf(undefined), "stream");
  requests.count(callOf("x".repeat(1000)), "unary");
  for (let i = 0; i < 1000; i++) requests.count(callOf(`v${i}`), "unary");
  const lines = metrics
    .expose()
    .split("\n")
    .filter((line) => line.startsWith("etcd_"));
  assert.ok(lines.length < 70);
  assert.ok(lines.includes('etcd_server_client_requests_total{client_api_version="3.7",type="unary"} 2'));
  assert.ok(
    lines.includes('etcd_server_client_requests_total{client_api_version="unknown",type="stream"} 1'),
  );
  const sum = lines.reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
  assert.equal(sum, 1004);
});
