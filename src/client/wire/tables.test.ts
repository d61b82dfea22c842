import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DescMessage, DescMethod } from "@bufbuild/protobuf";
import { create, fromBinary, ScalarType, toBinary } from "@bufbuild/protobuf";
import * as generated from "../../gen/etcdserverpb/rpc_pb.ts";
import * as auth from "../messages/auth.ts";
import * as cluster from "../messages/cluster.ts";
import * as kv from "../messages/kv.ts";
import * as lease from "../messages/lease.ts";
import * as maintenance from "../messages/maintenance.ts";
import * as watch from "../messages/watch.ts";
import * as authMethods from "../methods/auth.ts";
import * as clusterMethods from "../methods/cluster.ts";
import * as kvMethods from "../methods/kv.ts";
import * as leaseMethods from "../methods/lease.ts";
import * as maintenanceMethods from "../methods/maintenance.ts";
import * as watchMethods from "../methods/watch.ts";
import { decode, encode } from "./codec.ts";
import type { Field, MessageType } from "./message.ts";

function describeField([name, field]: readonly [string, Field<unknown>]): string {
  const type = typeof field.type === "function" ? "message" : field.type;
  return `${field.number} ${name} ${type}${field.repeated ? " repeated" : ""}${field.isOneof ? " oneof" : ""}`;
}

function describeGenerated(message: DescMessage): string[] {
  return message.fields
    .toSorted((a, b) => a.number - b.number)
    .map((field) => {
      const one = field.fieldKind === "list" ? field.listKind : field.fieldKind;
      const type = one === "scalar" ? ScalarType[(field as { scalar: number }).scalar]?.toLowerCase() : one;
      const repeated = field.fieldKind === "list" ? " repeated" : "";
      return `${field.number} ${field.name} ${type}${repeated}${field.oneof ? " oneof" : ""}`;
    });
}

/** Every message that is reached from `message`, compared with its table. */
function compare(message: DescMessage, table: MessageType<unknown>, seen = new Set<string>()): void {
  if (seen.has(message.typeName)) return;
  seen.add(message.typeName);
  assert.deepEqual(table.fields.map(describeField), describeGenerated(message), message.typeName);
  for (const field of message.fields) {
    const inner = "message" in field ? field.message : undefined;
    const entry = table.fields.find(([name]) => name === field.name)![1];
    if (inner && typeof entry.type === "function") compare(inner, entry.type(), seen);
  }
}

const methods = [authMethods, clusterMethods, kvMethods, leaseMethods, maintenanceMethods, watchMethods]
  .flatMap((file) => Object.values(file))
  .map((method) => [method.path, method] as const);

describe("the tables of messages and methods", () => {
  it("say what the .proto files say", () => {
    const byPath = new Map<string, DescMethod>();
    for (const item of Object.values(generated)) {
      if (typeof item !== "object" || !("kind" in item) || item.kind !== "service") continue;
      for (const method of item.methods) byPath.set(`/${item.typeName}/${method.name}`, method);
    }
    assert.equal(byPath.size, methods.length + 1, "all methods but Hash");
    for (const [path, method] of methods) {
      const wanted = byPath.get(path);
      assert.ok(wanted, path);
      const kinds = { unary: "unary", server_streaming: "serverStream", bidi_streaming: "duplex" } as const;
      assert.equal(method.kind, kinds[wanted.methodKind as keyof typeof kinds], path);
      compare(wanted.input, method.request as MessageType<unknown>);
      compare(wanted.output, method.response as MessageType<unknown>);
    }
  });

  it("read and write what the generated code reads and writes", () => {
    const key = new TextEncoder().encode("k\0ü");
    const request = {
      compare: [{ result: 1, target: 4, key, lease: 0n }],
      success: [
        {
          request_txn: {
            compare: [],
            success: [{ request_put: { key, value: key, lease: -1n } }],
            failure: [],
          },
        },
        { request_range: { key, range_end: Uint8Array.of(0), limit: 2n ** 40n, keys_only: true } },
      ],
    };
    const bytes = encode(kv.txnRequest, request);
    const read = fromBinary(generated.TxnRequestSchema, bytes);
    assert.deepEqual(Buffer.from(toBinary(generated.TxnRequestSchema, read)), Buffer.from(bytes));
    const inner = read.success[0]!.request.value as generated.TxnRequest;
    assert.equal((inner.success[0]!.request.value as generated.PutRequest).lease, -1n);
    assert.equal(read.compare[0]!.targetUnion.case, "lease");

    const response = create(generated.WatchResponseSchema, {
      header: { clusterId: 2n ** 64n - 1n, revision: -5n, raftTerm: 7n },
      watchId: 3n,
      cancelReason: "gründlich",
      events: [{ type: 1, kv: { key, modRevision: 9n } }],
    });
    const decoded = decode(watch.watchResponse, toBinary(generated.WatchResponseSchema, response));
    assert.equal(decoded.header?.cluster_id, 2n ** 64n - 1n);
    assert.equal(decoded.header?.revision, -5n);
    assert.equal(decoded.cancel_reason, "gründlich");
    assert.deepEqual(Buffer.from(decoded.events[0]!.kv!.key), Buffer.from(key));
    assert.equal(decoded.events[0]!.prev_kv, undefined);
    assert.equal(decoded.created, false);
    assert.deepEqual(
      Buffer.from(encode(watch.watchResponse, decoded)),
      Buffer.from(toBinary(generated.WatchResponseSchema, response)),
    );
  });

  it("have every message that a method needs", () => {
    const all = [auth, cluster, kv, lease, maintenance, watch].flatMap((file) => Object.values(file));
    assert.ok(all.length > 80);
  });
});
