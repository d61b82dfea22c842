/**
 * Compares the naive etcd with a real one: the same random requests to both, through etcd's JSON gateway. Run by hand
 * when the model changes; see README.md.
 *
 *     bun test/model/against-etcd.ts http://127.0.0.1:2379 [seed] [requests]
 *
 * The server must be empty. It is not run as a test because a model that agreed once goes on agreeing.
 */
import assert from "node:assert/strict";
import type { Compare, KeyValue, RangeRequest, RequestOp, TxnRequest } from "../../src/codec/kv.ts";
import { EtcdError } from "../../src/errors/etcd-error.ts";
import type { LeaseId } from "../../src/lib/ids.ts";
import { checkTxn } from "../../src/mvcc/check/check-txn.ts";
import { Random, seedFrom } from "../support/random.ts";
import { NaiveEtcd } from "./naive-etcd.ts";
import { naiveHash } from "./naive-hash.ts";
import type { Op } from "./random-ops.ts";
import { RandomOps } from "./random-ops.ts";

type Json = { [name: string]: unknown };

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const resultNames = ["EQUAL", "GREATER", "LESS", "NOT_EQUAL"];
const targetNames = ["VERSION", "CREATE", "MOD", "VALUE", "LEASE"];
const operandNames = ["version", "create_revision", "mod_revision", "value", "lease"];

function rangeJson(r: RangeRequest): Json {
  return {
    key: base64(r.key),
    range_end: base64(r.rangeEnd),
    limit: r.limit,
    revision: r.revision,
    sort_order: r.sortOrder,
    sort_target: r.sortTarget,
    serializable: r.serializable,
    keys_only: r.keysOnly,
    count_only: r.countOnly,
    min_mod_revision: r.minModRevision,
    max_mod_revision: r.maxModRevision,
    min_create_revision: r.minCreateRevision,
    max_create_revision: r.maxCreateRevision,
  };
}

function compareJson(c: Compare): Json {
  const operand = c.operand instanceof Uint8Array ? base64(c.operand) : String(c.operand);
  return {
    key: base64(c.key),
    range_end: base64(c.rangeEnd),
    result: resultNames[c.result],
    target: targetNames[c.target],
    [operandNames[c.target]!]: operand,
  };
}

function opJson(op: RequestOp): Json {
  if (op.kind === "range") return { request_range: rangeJson(op.range) };
  if (op.kind === "put") return { request_put: requestJson({ kind: "put", request: op.put }) };
  if (op.kind === "txn") return { request_txn: txnJson(op.txn) };
  if (op.kind !== "deleteRange") throw new Error("no operation");
  return { request_delete_range: requestJson({ kind: "deleteRange", request: op.deleteRange }) };
}

function txnJson(txn: TxnRequest): Json {
  return {
    compare: txn.compare.map(compareJson),
    success: txn.success.map(opJson),
    failure: txn.failure.map(opJson),
  };
}

function requestJson(op: Op): Json {
  switch (op.kind) {
    case "range":
      return rangeJson(op.request);
    case "put": {
      const { key, value, lease, prevKv, ignoreValue, ignoreLease } = op.request;
      return {
        key: base64(key),
        value: base64(value),
        lease: String(lease),
        prev_kv: prevKv,
        ignore_value: ignoreValue,
        ignore_lease: ignoreLease,
      };
    }
    case "deleteRange": {
      const { key, rangeEnd, prevKv } = op.request;
      return { key: base64(key), range_end: base64(rangeEnd), prev_kv: prevKv };
    }
    case "txn":
      return txnJson(op.request);
    case "compact":
      return { revision: op.revision, physical: true };
    case "grant":
      return { ID: String(op.lease), TTL: 3600 };
    case "revoke":
      return { ID: String(op.lease) };
  }
}

const paths = {
  range: "/v3/kv/range",
  put: "/v3/kv/put",
  deleteRange: "/v3/kv/deleterange",
  txn: "/v3/kv/txn",
  compact: "/v3/kv/compaction",
  grant: "/v3/lease/grant",
  revoke: "/v3/lease/revoke",
};

/** Both sides in one form: header revisions as numbers, pairs as plain text, what is zero left out. */
function kvForm(kv: Json): string {
  const field = (name: string) => String(kv[name] ?? "0");
  return [
    String(kv["key"] ?? ""),
    field("create_revision"),
    field("mod_revision"),
    field("version"),
    String(kv["value"] ?? ""),
    field("lease"),
  ].join(" ");
}

function ours(kv: KeyValue): string {
  return kvForm({
    key: base64(kv.key),
    create_revision: kv.createRevision,
    mod_revision: kv.modRevision,
    version: kv.version,
    value: base64(kv.value),
    lease: kv.lease,
  });
}

const listOf = (value: unknown) => (value ?? []) as Json[];
const revisionOf = (answer: Json) => Number((answer["header"] as Json | undefined)?.["revision"] ?? 0);

function answerForm(answer: Json, isTxn: boolean, nested: boolean): unknown {
  const header = nested ? { revision: revisionOf(answer) } : {};
  if (isTxn) {
    const responses = listOf(answer["responses"]).map((response) => {
      const [[name, inner]] = Object.entries(response) as [[string, Json]];
      return answerForm(inner, name === "response_txn", true);
    });
    return { ...header, succeeded: answer["succeeded"] ?? false, responses };
  }
  return {
    ...header,
    kvs: listOf(answer["kvs"]).map(kvForm),
    prevKvs: listOf(answer["prev_kvs"]).map(kvForm),
    prevKv: answer["prev_kv"] === undefined ? "" : kvForm(answer["prev_kv"] as Json),
    more: answer["more"] ?? false,
    count: Number(answer["count"] ?? 0),
    deleted: Number(answer["deleted"] ?? 0),
  };
}

type OpAnswer = {
  kvs?: readonly KeyValue[];
  prevKvs?: readonly KeyValue[];
  prevKv?: KeyValue | undefined;
  more?: boolean;
  count?: number;
  deleted?: number;
};

function oursForm(answer: OpAnswer, header: Json): unknown {
  return {
    ...header,
    kvs: (answer.kvs ?? []).map(ours),
    prevKvs: (answer.prevKvs ?? []).map(ours),
    prevKv: answer.prevKv === undefined ? "" : ours(answer.prevKv),
    more: answer.more ?? false,
    count: answer.count ?? 0,
    deleted: answer.deleted ?? 0,
  };
}

function oursTxnForm(answer: ReturnType<NaiveEtcd["txn"]>, nested: boolean): unknown {
  const responses = answer.responses.map((op) => {
    if (op.kind === "txn") return oursTxnForm(op.txn, true);
    const inner = op.kind === "range" ? op.range : op.kind === "put" ? op.put : op.deleteRange;
    return oursForm(inner, { revision: op.revision });
  });
  return { ...(nested ? { revision: 0 } : {}), succeeded: answer.succeeded, responses };
}

function askModel(model: NaiveEtcd, op: Op): unknown {
  switch (op.kind) {
    case "range":
      return oursForm(model.range(op.request), {});
    case "put":
      return oursForm(model.put(op.request), {});
    case "deleteRange":
      return oursForm(model.deleteRange(op.request), {});
    case "txn":
      checkTxn(op.request, 128);
      return oursTxnForm(model.txn(op.request), false);
    case "compact":
      model.compact(op.revision);
      return oursForm({}, {});
    case "grant":
      model.grant(op.lease);
      return oursForm({}, {});
    case "revoke":
      model.revoke(op.lease);
      return oursForm({}, {});
  }
}

const [endpoint, seedText, countText] = process.argv.slice(2);
if (endpoint === undefined) throw new Error("which server?");
const random = new Random(seedFrom(seedText));
const model = new NaiveEtcd();
const generator = new RandomOps(random);
let skipped = 0;
const tally: Record<string, number> = {};

async function ask(path: string, body: Json): Promise<{ ok: boolean; answer: Json }> {
  const response = await fetch(endpoint + path, { method: "POST", body: JSON.stringify(body) });
  return { ok: response.ok, answer: (await response.json()) as Json };
}

for (let i = 0; i < Number(countText ?? 2000); i++) {
  const op = generator.next(model);
  let expected: unknown;
  try {
    expected = askModel(model, op);
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
    expected = { error: error.message };
  }
  if (model.panicsAvoided > skipped) {
    skipped = model.panicsAvoided;
    continue;
  }
  const { ok, answer } = await ask(paths[op.kind], requestJson(op));
  const got = ok ? answerForm(answer, op.kind === "txn", false) : { error: answer["message"] };
  const context = () => `seed ${random.seed}, request ${i}: ${JSON.stringify(requestJson(op))}`;
  assert.deepEqual(got, expected, context());
  const outcome = ok ? op.kind : `${op.kind}: ${String(answer["message"])}`;
  tally[outcome] = (tally[outcome] ?? 0) + 1;
  if (ok) assert.equal(revisionOf(answer), model.revision, context());
  if (i % 7 === 0) {
    const revision = random.between(Math.max(model.compactRevision, 1), model.revision);
    const { answer: hash } = await ask("/v3/maintenance/hashkv", { revision });
    // For the revision of a compaction etcd may answer what it hashed while it compacted, from the one before on.
    const compacted = Number(hash["compact_revision"]);
    if (compacted !== model.compactRevision) tally["hash of a compaction"] ??= 0;
    if (compacted !== model.compactRevision) tally["hash of a compaction"]!++;
    assert.equal(hash["hash"], naiveHash(model, revision, compacted), `hash at ${revision}, ${context()}`);
  }
  if (i % 20 === 0 && model.leases.size > 0) {
    const lease = random.pick([...model.leases]);
    const { answer: times } = await ask("/v3/lease/timetolive", { ID: String(lease), keys: true });
    const keys = ((times["keys"] ?? []) as string[]).sort();
    const known = model
      .keysOfLease(lease as LeaseId)
      .map((key) => Buffer.from(key, "latin1").toString("base64"));
    assert.deepEqual(keys, known.sort(), context());
  }
}
console.log(`seed ${random.seed}: agreed`, tally);
