/** Bytes that are almost messages: every decoder gives a value or a DecodeError, soon. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DescMessage, toBinary } from "@bufbuild/protobuf";
import { InternalRaftRequestSchema } from "../gen/etcdserverpb/raft_internal_pb.ts";
import * as pb from "../gen/etcdserverpb/rpc_pb.ts";
import { KeyValueSchema } from "../gen/mvccpb/kv_pb.ts";
import * as raftpb from "../gen/raftpb/raft_pb.ts";
import type { Prng } from "../lib/prng.ts";
import { decodeCompactionRequest } from "./compaction.ts";
import { decodeDeleteRangeRequest } from "./delete-range.ts";
import { decodeKeyValue } from "./key-value.ts";
import { decodeLeaseCheckpointRequest, decodeLeaseGrantRequest, decodeLeaseId } from "./lease.ts";
import { DecodeError } from "./protowire-read.ts";
import { decodePutRequest } from "./put.ts";
import { decodeRaftRequest } from "./raft-internal.ts";
import { decodeConfState, decodeEntry, decodeHardState, decodeSnapshot } from "./raft-log.ts";
import { decodeMessage } from "./raft-message.ts";
import { decodeRangeRequest } from "./range.ts";
import { forSeeds, randomBytes, randomMessage } from "./testing/random-message.ts";
import { decodeTxnRequest } from "./txn-request.ts";
import { decodeWatchRequest } from "./watch.ts";

const decoders: [DescMessage, (bytes: Uint8Array) => unknown][] = [
  [pb.RangeRequestSchema, decodeRangeRequest],
  [pb.PutRequestSchema, decodePutRequest],
  [pb.DeleteRangeRequestSchema, decodeDeleteRangeRequest],
  [pb.TxnRequestSchema, decodeTxnRequest],
  [pb.CompactionRequestSchema, decodeCompactionRequest],
  [pb.WatchRequestSchema, decodeWatchRequest],
  [pb.LeaseGrantRequestSchema, decodeLeaseGrantRequest],
  [pb.LeaseRevokeRequestSchema, decodeLeaseId],
  [pb.LeaseCheckpointRequestSchema, decodeLeaseCheckpointRequest],
  [InternalRaftRequestSchema, decodeRaftRequest],
  [KeyValueSchema, decodeKeyValue],
  [raftpb.EntrySchema, decodeEntry],
  [raftpb.HardStateSchema, decodeHardState],
  [raftpb.ConfStateSchema, decodeConfState],
  [raftpb.SnapshotSchema, decodeSnapshot],
  [raftpb.MessageSchema, decodeMessage],
];

/** Changes a few bytes, cuts, doubles or inserts. */
function damage(random: Prng, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  switch (random.below(5)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Uint8Array.from([
        ...bytes.subarray(0, at),
        ...randomBytes(random, 1 + random.below(4)),
        ...bytes.subarray(at),
      ]);
    case 2:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes]);
    case 3:
      return randomBytes(random, random.below(40));
    default: {
      const changed = bytes.slice();
      for (let i = random.below(4); i >= 0 && changed.length > 0; i--) {
        changed[random.below(changed.length)] = random.pick([0, 0x7f, 0x80, 0xff, random.below(256)]);
      }
      return changed;
    }
  }
}

describe("malformed messages", () => {
  for (const [schema, decode] of decoders) {
    it(`of type ${schema.name} throw nothing but DecodeError`, () => {
      let refused = 0;
      forSeeds(1500, (random) => {
        const bytes = damage(
          random,
          toBinary(schema, randomMessage(random, schema, { wide: true, depth: 3 })),
        );
        try {
          decode(bytes);
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
          refused++;
        }
      });
      assert.ok(refused > 100, `only ${refused} of 1500 were malformed`);
    });
  }
});
