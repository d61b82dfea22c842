import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { headerPrefix } from "../../codec/header.ts";
import {
  RangeRequestSchema,
  RangeResponseSchema,
  RangeStreamResponseSchema,
} from "../../gen/etcdserverpb/rpc_pb.ts";
import { finish, type Steps } from "../../lib/steps.ts";
import { storeFixture } from "../../mvcc/testing/fixture.ts";
import type { GrpcCall, SingleRequestHandler } from "../../transport/grpc.ts";
import type { RpcServer } from "../rpc-server.ts";
import { rangeHandler } from "./range.ts";
import { rangeStreamHandler } from "./range-stream.ts";

const text = new TextEncoder();
const everything = toBinary(
  RangeRequestSchema,
  create(RangeRequestSchema, { key: text.encode("a"), rangeEnd: text.encode("z") }),
);

/** What a call answers when reading begins only after one more key was written: other reads had the turn. */
function answerOfLateRead(handlerOf: (server: RpcServer) => SingleRequestHandler): Uint8Array {
  const { store, put } = storeFixture();
  put("b");
  const later: (() => void)[] = [];
  const headerAt = (revision: number) => ({
    prefix: headerPrefix({ clusterId: 1n, memberId: 2n }),
    revision,
    raftTerm: 3,
  });
  const server = {
    store,
    auth: { enabled: false, state: { enabled: false } },
    readTimes: { now: () => 0, range: () => {} },
    linearizable: (ready: () => void) => ready(),
    header: () => headerAt(store.revision),
    headerAt,
    runSteps: <T>(steps: Steps<T>, done: (value: T) => void) => later.push(() => done(finish(steps))),
  };
  const messages: Uint8Array[] = [];
  const call = {
    peer: {},
    write: (message: Uint8Array) => messages.push(message) > 0,
    respondParts: (parts: readonly Uint8Array[]) => messages.push(...parts),
    end: () => {},
    fail: assert.fail,
    onDrain: () => {},
    onCancel: () => {},
  };
  handlerOf(server as unknown as RpcServer).onRequest(call as unknown as GrpcCall, everything);
  put("c");
  for (const run of later) run();
  return Buffer.concat(messages);
}

describe("A range that is read later than it was asked for", () => {
  it("has the revision in its header that its keys are of", () => {
    const { header, kvs } = fromBinary(RangeResponseSchema, answerOfLateRead(rangeHandler));
    assert.deepEqual([kvs.length, header!.revision], [2, 3n]);
  });

  it("has it as a stream too", () => {
    const { rangeResponse } = fromBinary(RangeStreamResponseSchema, answerOfLateRead(rangeStreamHandler));
    assert.deepEqual([rangeResponse!.kvs.length, rangeResponse!.header!.revision], [2, 3n]);
  });
});
