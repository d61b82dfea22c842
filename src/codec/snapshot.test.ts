import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { SnapshotResponseSchema } from "../gen/etcdserverpb/rpc_pb.ts";
import { encodeSnapshotResponse } from "./snapshot.ts";

describe("a piece of a snapshot", () => {
  it("has the bytes that the generated code gives", () => {
    const version = new TextEncoder().encode("3.7.0");
    for (const remaining of [0, 1, 300, 5_000_000_000, Number.MAX_SAFE_INTEGER]) {
      for (const length of [0, 32, 70_000]) {
        const blob = Uint8Array.from({ length }, (_, i) => i);
        const message = create(SnapshotResponseSchema, {
          remainingBytes: BigInt(remaining),
          blob,
          version: "3.7.0",
        });
        assert.deepEqual(
          encodeSnapshotResponse(remaining, blob, version),
          toBinary(SnapshotResponseSchema, message),
        );
      }
    }
  });
});
