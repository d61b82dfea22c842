/** What clients send, and what the log holds: bytes of the generated code, decoded by hand. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { InternalRaftRequestSchema } from "../gen/etcdserverpb/raft_internal_pb.ts";
import * as pb from "../gen/etcdserverpb/rpc_pb.ts";
import { LeaseSchema } from "../gen/leasepb/lease_pb.ts";
import { fromBinaryKey } from "../lib/binary-key.ts";
import type { LeaseId } from "../lib/ids.ts";
import { decodeCompactionRequest } from "./compaction.ts";
import { decodeDeleteRangeRequest } from "./delete-range.ts";
import {
  decodeLeaseCheckpointRequest,
  decodeLeaseGrantRequest,
  decodeLeaseId,
  encodeLeaseCheckpointRequest,
  encodeLeaseGrantRequest,
  encodeLeaseId,
} from "./lease.ts";
import { decodeLeaseRow, encodeLeaseRow, leaseIdOfRowKey, leaseRowKey } from "./lease-row.ts";
import { decodePutRequest } from "./put.ts";
import { decodeRaftRequest, encodeRaftRequest, raftField } from "./raft-internal.ts";
import { decodeRangeRequest } from "./range.ts";
import { plainDeleteRange, plainPut, plainRange, plainTxn } from "./testing/plain.ts";
import { forSeeds, randomMessage } from "./testing/random-message.ts";
import { decodeTxnRequest } from "./txn-request.ts";
import { decodeWatchRequest } from "./watch.ts";

const rounds = 300;

function checkDecoder<Desc extends DescMessage>(
  schema: Desc,
  decode: (bytes: Uint8Array) => unknown,
  plain: (message: MessageShape<Desc>) => unknown,
): void {
  forSeeds(rounds, (random) => {
    const message = randomMessage(random, schema, { wide: true, depth: 6 });
    assert.deepEqual(decode(toBinary(schema, message)), plain(message));
  });
}

describe("requests", () => {
  it("decodes RangeRequest", () => checkDecoder(pb.RangeRequestSchema, decodeRangeRequest, plainRange));
  it("decodes PutRequest", () => checkDecoder(pb.PutRequestSchema, decodePutRequest, plainPut));
  it("decodes DeleteRangeRequest", () =>
    checkDecoder(pb.DeleteRangeRequestSchema, decodeDeleteRangeRequest, plainDeleteRange));
  it("decodes TxnRequest", () => checkDecoder(pb.TxnRequestSchema, decodeTxnRequest, plainTxn));
  it("decodes CompactionRequest", () =>
    checkDecoder(pb.CompactionRequestSchema, decodeCompactionRequest, (request) => ({
      revision: Number(request.revision),
      physical: request.physical,
    })));
  it("decodes LeaseGrantRequest", () =>
    checkDecoder(pb.LeaseGrantRequestSchema, decodeLeaseGrantRequest, (request) => ({
      ttlSeconds: Number(request.TTL),
      id: request.ID,
    })));
  it("decodes LeaseRevokeRequest and LeaseKeepAliveRequest", () => {
    checkDecoder(pb.LeaseRevokeRequestSchema, decodeLeaseId, (request) => request.ID);
    checkDecoder(pb.LeaseKeepAliveRequestSchema, decodeLeaseId, (request) => request.ID);
  });
  it("decodes LeaseCheckpointRequest", () =>
    checkDecoder(pb.LeaseCheckpointRequestSchema, decodeLeaseCheckpointRequest, (request) =>
      request.checkpoints.map((one) => ({ id: one.ID, remainingTtlSeconds: Number(one.remainingTTL) })),
    ));
  it("decodes WatchRequest", () => checkDecoder(pb.WatchRequestSchema, decodeWatchRequest, plainWatch));
});

function plainWatch({ requestUnion }: pb.WatchRequest): unknown {
  switch (requestUnion.case) {
    case "createRequest": {
      const { $typeName: _name, $unknown: _unknown, startRevision, ...create } = requestUnion.value;
      return { kind: "create", create: { ...create, startRevision: Number(startRevision) } };
    }
    case "cancelRequest":
      return { kind: "cancel", watchId: requestUnion.value.watchId };
    case "progressRequest":
      return { kind: "progress" };
    default:
      return { kind: "none" };
  }
}

describe("requests that the server makes", () => {
  it("encodes leases as the generated code does", () =>
    forSeeds(rounds, (random) => {
      const options = { wide: false, depth: 2 };
      const grant = randomMessage(random, pb.LeaseGrantRequestSchema, options);
      assert.deepEqual(
        encodeLeaseGrantRequest({ ttlSeconds: Number(grant.TTL), id: grant.ID as LeaseId }),
        toBinary(pb.LeaseGrantRequestSchema, grant),
      );
      const revoke = randomMessage(random, pb.LeaseRevokeRequestSchema, { ...options, wide: true });
      assert.deepEqual(encodeLeaseId(revoke.ID as LeaseId), toBinary(pb.LeaseRevokeRequestSchema, revoke));
      const checkpoints = randomMessage(random, pb.LeaseCheckpointRequestSchema, options);
      const plain = checkpoints.checkpoints.map((one) => ({
        id: one.ID as LeaseId,
        remainingTtlSeconds: Number(one.remainingTTL),
      }));
      assert.deepEqual(
        encodeLeaseCheckpointRequest(plain),
        toBinary(pb.LeaseCheckpointRequestSchema, checkpoints),
      );
    }));
});

describe("rows of leases", () => {
  it("are etcd's", () =>
    forSeeds(rounds, (random) => {
      const row = randomMessage(random, LeaseSchema, { wide: false, depth: 1 });
      row.ID = random.pick([
        row.ID,
        -row.ID,
        2n ** 63n - 1n,
        -(2n ** 63n),
        -1n,
        2n ** 32n,
        -(2n ** 32n) - 1n,
      ]);
      const id = row.ID as LeaseId;
      const plain = {
        id,
        ttlSeconds: Number(row.TTL),
        remainingTtlSeconds: Number(row.RemainingTTL),
      };
      const bytes = toBinary(LeaseSchema, row);
      assert.deepEqual(encodeLeaseRow(plain), bytes);
      assert.deepEqual(decodeLeaseRow(bytes), plain);
      const key = new DataView(new ArrayBuffer(8));
      key.setBigInt64(0, id);
      assert.deepEqual(fromBinaryKey(leaseRowKey(id)), new Uint8Array(key.buffer));
      assert.equal(leaseIdOfRowKey(leaseRowKey(id)), id);
    }));
});

describe("InternalRaftRequest", () => {
  const header = { id: 0xfedc_ba98_7654_3210n, username: "käse", authRevision: 7 };

  it("wraps any request so that the generated code reads it", () => {
    const body = toBinary(pb.PutRequestSchema, create(pb.PutRequestSchema, { key: Uint8Array.of(1) }));
    for (const [name, field] of Object.entries(raftField)) {
      const bytes = encodeRaftRequest(header, field, field === raftField.put ? body : new Uint8Array(0));
      const message = fromBinary(InternalRaftRequestSchema, bytes);
      assert.equal(message.header?.ID, header.id);
      assert.equal(message.header?.username, header.username);
      assert.equal(message.header?.authRevision, 7n);
      const set = InternalRaftRequestSchema.fields.filter(
        (one) => one.number > 1 && one.number !== 100 && message[one.localName as "put"] !== undefined,
      );
      assert.deepEqual(
        set.map((one) => one.localName),
        [name],
      );
      assert.deepEqual(bytes, toBinary(InternalRaftRequestSchema, message));
    }
  });

  it("has every field of the message in its table", () => {
    const numbers = InternalRaftRequestSchema.fields.map((field) => field.number);
    assert.deepEqual(
      numbers.filter((number) => number !== 1 && number !== 100).sort((a, b) => a - b),
      Object.values(raftField).sort((a, b) => a - b),
    );
  });

  it("decodes the frequent kinds and hands on the others", () => {
    forSeeds(rounds, (random) => {
      const txn = randomMessage(random, pb.TxnRequestSchema, { wide: true, depth: 5 });
      const bytes = encodeRaftRequest(header, raftField.txn, toBinary(pb.TxnRequestSchema, txn));
      assert.deepEqual(decodeRaftRequest(bytes), { header, body: { kind: "txn", txn: plainTxn(txn) } });
    });
    const kinds: [keyof typeof raftField, unknown][] = [
      ["range", plainRange(create(pb.RangeRequestSchema))],
      ["put", plainPut(create(pb.PutRequestSchema))],
      ["deleteRange", plainDeleteRange(create(pb.DeleteRangeRequestSchema))],
      ["compaction", { revision: 0, physical: false }],
      ["leaseGrant", { ttlSeconds: 0, id: 0n }],
      ["leaseRevoke", 0n],
      ["leaseCheckpoint", []],
    ];
    for (const [kind, plain] of kinds) {
      const { body } = decodeRaftRequest(encodeRaftRequest(header, raftField[kind], new Uint8Array(0)));
      assert.deepEqual(body, { kind, [kind]: plain });
    }
    const bytes = Uint8Array.of(0x0a, 1, 65);
    const other = decodeRaftRequest(encodeRaftRequest(header, raftField.authUserAdd, bytes));
    assert.deepEqual(other, { header, body: { kind: "other", field: raftField.authUserAdd, bytes } });
  });

  it("takes the id from its old place when the header has none", () => {
    const bytes = toBinary(
      InternalRaftRequestSchema,
      create(InternalRaftRequestSchema, { ID: 9n, compaction: { revision: 5n } }),
    );
    assert.deepEqual(decodeRaftRequest(bytes), {
      header: { id: 9n, username: "", authRevision: 0 },
      body: { kind: "compaction", compaction: { revision: 5, physical: false } },
    });
  });
});
