import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type EtcdError, GrpcCode } from "../errors/etcd-error.ts";
import type { GrpcCall, SingleRequestHandler } from "../transport/grpc.ts";
import { observeHandler } from "./election/observe.ts";
import { rangeHandler } from "./kv/range.ts";
import { rangeStreamHandler } from "./kv/range-stream.ts";
import { snapshotHandler } from "./maintenance/snapshot.ts";
import type { Places } from "./places/places.ts";
import type { MaintenanceSource } from "./rpc-server.ts";

/** A field of a length that the message does not have. */
const malformed = Uint8Array.of(0x0a, 0xff);
const server = {} as MaintenanceSource;

function refusal(handler: SingleRequestHandler): EtcdError {
  const errors: EtcdError[] = [];
  const call = { fail: (error: EtcdError) => errors.push(error) };
  handler.onRequest(call as unknown as GrpcCall, malformed);
  assert.equal(errors.length, 1);
  return errors[0]!;
}

describe("A request that is no Protobuf", () => {
  it("is refused in the words that grpc-go has for one answer", () => {
    const { code, message } = refusal(rangeHandler(server));
    assert.equal(code, GrpcCode.internal);
    assert.match(message, /^grpc: error unmarshalling request: /);
  });

  it("is refused in those that it has for a stream of answers", () => {
    const handlers = [
      rangeStreamHandler(server),
      snapshotHandler(server),
      observeHandler(server, {} as Places),
    ];
    for (const { code, message } of handlers.map(refusal)) {
      assert.equal(code, GrpcCode.internal);
      assert.match(message, /^grpc: failed to unmarshal the received message: /);
    }
  });
});
