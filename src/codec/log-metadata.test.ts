import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { MetadataSchema } from "../gen/etcdserverpb/etcdserver_pb.ts";
import type { ClusterId, MemberId } from "../lib/ids.ts";
import { decodeLogMetadata, encodeLogMetadata } from "./log-metadata.ts";

describe("the metadata of a log", () => {
  const numbers = [0n, 1n, 127n, 128n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
  for (const NodeID of numbers) {
    it(`are those of generated code: member ${NodeID}`, () => {
      for (const ClusterID of numbers) {
        const wanted = toBinary(MetadataSchema, create(MetadataSchema, { NodeID, ClusterID }));
        const ids = { nodeId: NodeID as MemberId, clusterId: ClusterID as ClusterId };
        assert.deepEqual(encodeLogMetadata(ids), wanted);
        assert.deepEqual(decodeLogMetadata(wanted), ids);
        assert.equal(fromBinary(MetadataSchema, encodeLogMetadata(ids)).ClusterID, ClusterID);
      }
    });
  }

  it("are zero where they are left out", () => {
    assert.deepEqual(decodeLogMetadata(Uint8Array.of(0x1a, 1, 7)), { nodeId: 0n, clusterId: 0n });
  });
});
