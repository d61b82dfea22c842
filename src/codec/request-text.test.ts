import assert from "node:assert/strict";
import { it } from "node:test";
import type { LeaseId } from "../lib/ids.ts";
import { type RangeRequest, SortOrder, SortTarget, type TxnRequest } from "./kv.ts";
import { raftField } from "./raft-internal.ts";
import { requestText } from "./request-text.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const put = (key: string, value: string) => ({
  key: bytes(key),
  value: bytes(value),
  lease: 0n as LeaseId,
  prevKv: false,
  ignoreValue: false,
  ignoreLease: false,
});
const range: RangeRequest = {
  key: bytes("a\n\xff"),
  rangeEnd: new Uint8Array([0]),
  limit: 3,
  revision: 0,
  sortOrder: SortOrder.descend,
  sortTarget: SortTarget.mod,
  serializable: true,
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
};

it("shows the size of a value and never the value", () => {
  assert.equal(requestText(raftField.put, put("k", "secret")), 'put:<key:"k" value_size:6>');
  const txn: TxnRequest = {
    compare: [{ result: 0, target: 3, key: bytes("k"), rangeEnd: bytes(""), operand: bytes("secret") }],
    success: [{ kind: "put", put: put("k", "secret") }],
    failure: [{ kind: "txn", txn: { compare: [], success: [{ kind: "range", range }], failure: [] } }],
  };
  const inner = requestText(raftField.range, range).slice("range:<".length, -1);
  assert.equal(
    requestText(raftField.txn, txn),
    'txn:<compare:<target:VALUE key:"k" value_size:6> success:<request_put:<key:"k" value_size:6>> ' +
      `failure:<request_txn:<compare:<> success:<request_range:<${inner}>> failure:<>>>>`,
  );
});

it("shows fields by protobuf's names, without those that have their default", () => {
  assert.equal(
    requestText(raftField.range, range),
    'range:<key:"a\\n\\303\\277" range_end:"\\000" limit:3 sort_order:DESCEND sort_target:MOD serializable:true>',
  );
  assert.equal(
    requestText(raftField.leaseGrant, { ttlSeconds: 5, id: 255n }),
    "lease_grant:<ttl:5-second id:00000000000000ff>",
  );
  assert.equal(requestText(raftField.alarm, {}), "alarm:<>");
});

it("ends somewhere", () => {
  const text = requestText(raftField.put, put("k".repeat(10_000), ""));
  assert.equal(text.length, 4096 + 3);
});
