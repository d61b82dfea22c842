import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { MemoryBackend } from "../../backend/memory/memory-backend.ts";
import { decodePutRequest } from "../../codec/put.ts";
import { encodeRaftRequest, raftField } from "../../codec/raft-internal.ts";
import { PutRequestSchema } from "../../gen/etcdserverpb/rpc_pb.ts";
import type { MemberId, RaftIndex, Term } from "../../lib/ids.ts";
import { EntryType } from "../../lib/raft-entry.ts";
import { MvccStore } from "../../mvcc/store.ts";
import { Alarms } from "../alarms.ts";
import { Proposals } from "../proposal.ts";
import { Applier } from "./applier.ts";
import type { ApplyContext } from "./apply-context.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const putBytes = (key: string) => toBinary(PutRequestSchema, create(PutRequestSchema, { key: utf8(key) }));

function makeApplier() {
  const store = new MvccStore({ backend: new MemoryBackend({}), leases: { has: () => false } });
  const proposals = new Proposals(0x1234n as MemberId, 0n);
  const context = {
    store,
    proposals,
    alarms: new Alarms(),
    auth: { enabled: false },
    hasSpaceFor: () => true,
    onApplied: () => {},
  };
  return { store, proposals, applier: new Applier(context as unknown as ApplyContext) };
}

describe("an entry that comes from elsewhere", () => {
  const entryOf = (
    id: bigint,
    field: typeof raftField.put | typeof raftField.deleteRange,
    body: Uint8Array,
  ) => ({
    type: EntryType.normal,
    term: 1 as Term,
    index: 1 as RaftIndex,
    data: encodeRaftRequest({ id, username: "", authRevision: 0 }, field, body),
  });

  it("is applied as it stands there, whoever waits for its id", () => {
    const { store, proposals, applier } = makeApplier();
    const told: unknown[] = [];
    const bytes = putBytes("mine");
    const asked = { field: raftField.put, bytes, request: decodePutRequest(bytes) };
    proposals.entry(asked, 0, (error) => told.push(error));
    const id = (0x1234n << 48n) | 1n;
    assert.ok(proposals.find(id));
    applier.apply(entryOf(id, raftField.put, putBytes("theirs")));
    assert.equal(store.get(utf8("mine")), undefined);
    assert.ok(store.get(utf8("theirs")));
    assert.deepEqual(told, [undefined]);
  });

  it("tells its end to nobody who asked for something else", () => {
    const { proposals, applier } = makeApplier();
    const told: unknown[] = [];
    const bytes = putBytes("mine");
    const asked = { field: raftField.put, bytes, request: decodePutRequest(bytes) };
    proposals.entry(asked, 0, (error) => told.push(error));
    applier.apply(entryOf((0x1234n << 48n) | 1n, raftField.deleteRange, putBytes("k")));
    assert.deepEqual(told, []);
    assert.equal(proposals.count, 1);
  });
});
