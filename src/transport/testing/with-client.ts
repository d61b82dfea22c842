import assert from "node:assert/strict";
import type { ConnectionLimits } from "../http2/limits.ts";
import type { RpcServerOptions } from "../rpc-server.ts";
import { grpcMessages, RawClient } from "./raw-client.ts";
import { TestServer } from "./test-server.ts";

export const unaryPath = "/test.Echo/Unary";

/** Runs a test with a server of these limits and a client connected to it; no handler may have failed. */
export function withClient(
  limits: Partial<ConnectionLimits>,
  run: (client: RawClient, server: TestServer) => Promise<void>,
  options: Partial<RpcServerOptions> = {},
): () => Promise<void> {
  return async () => {
    const server = await TestServer.start({ connectionLimits: limits, ...options });
    const client = await RawClient.open(server.port);
    try {
      await run(client, server);
    } finally {
      client.destroy();
      await server.stop();
    }
    assert.deepEqual(server.faults, []);
  };
}

/** The connection still serves. */
export async function assertServes(client: RawClient, streamId: number): Promise<void> {
  client.unary(streamId, unaryPath, Buffer.from("alive"));
  const { trailers, body } = await client.answer(streamId);
  assert.equal(trailers["grpc-status"], "0");
  assert.deepEqual(grpcMessages(body), [Buffer.from("alive")]);
}
