/**
 * The store against the naive etcd: random histories, with seals, writes to the backend, compactions and crashes at
 * random moments. A failure prints its seed; `MVCC_SEED=… MVCC_RUNS=1` repeats it.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NaiveEtcd } from "../../test/model/naive-etcd.ts";
import { naiveHash } from "../../test/model/naive-hash.ts";
import type { Op } from "../../test/model/random-ops.ts";
import { RandomOps } from "../../test/model/random-ops.ts";
import { Random } from "../../test/support/random.ts";
import type { Backend } from "../backend/backend.ts";
import type { KeyValue, RangeRequest } from "../codec/kv.ts";
import { emptyRangeRequest } from "../codec/range.ts";
import { EtcdError } from "../errors/etcd-error.ts";
import { toBinaryKey } from "../lib/binary-key.ts";
import type { Revision } from "../lib/ids.ts";
import type { Steps } from "../lib/steps.ts";
import { finish } from "../lib/steps.ts";
import { checkTxn } from "./check/check-txn.ts";
import { backendsUnderTest } from "./testing/backends.ts";
import { StoreUnderTest } from "./testing/store-under-test.ts";

const firstSeed = Number(process.env["MVCC_SEED"] ?? 1);
const runs = Number(process.env["MVCC_RUNS"] ?? 12);
const opsPerRun = Number(process.env["MVCC_OPS"] ?? 250);

function askModel(model: NaiveEtcd, op: Op): unknown {
  try {
    return { response: modelResponse(model, op) };
  } catch (error) {
    if (error instanceof EtcdError) return { error: error.message };
    throw error;
  }
}

function modelResponse(model: NaiveEtcd, op: Op): unknown {
  switch (op.kind) {
    case "range":
      return model.range(op.request);
    case "put":
      return model.put(op.request);
    case "deleteRange":
      return model.deleteRange(op.request);
    case "txn":
      checkTxn(op.request, 128);
      return model.txn(op.request);
    case "compact":
      return model.compact(op.revision);
    case "grant":
      return model.grant(op.lease);
    case "revoke":
      return model.revoke(op.lease);
  }
}

/** Bytes that are equal are equal, whatever buffer they lie in. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${toBinaryKey(value)}`;
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
  }
  return value;
}

/** A range that was begun and is finished some time later, with what it has to answer. */
interface OpenRange {
  readonly steps: Steps<{ kvs: readonly KeyValue[] }>;
  readonly expected: unknown;
}

class Run {
  readonly #random: Random;
  readonly #model = new NaiveEtcd();
  readonly #tested: StoreUnderTest;
  readonly #generator: RandomOps;
  #open: OpenRange[] = [];

  constructor(seed: number, backend: Backend) {
    this.#random = new Random(seed);
    this.#generator = new RandomOps(this.#random);
    this.#tested = new StoreUnderTest(backend);
  }

  async go(): Promise<void> {
    for (let i = 0; i < opsPerRun; i++) {
      const op = this.#generator.next(this.#model);
      this.#step(op);
      await this.#disturb();
      if (i % 10 === 0) this.#checkAll();
    }
    this.#finishRanges(0);
    this.#checkAll();
  }

  #step(op: Op): void {
    const model = this.#model;
    const leases = new Set(model.leases);
    // While a transaction is being written, readers see the state before it.
    const before = model.revision;
    const expectedRead = plain(model.range(wholeRange));
    const read = () => {
      assert.equal(this.#tested.store.revision, before);
      const { revision: _, ...answer } = finish(this.#tested.store.range(wholeRange));
      assert.deepEqual(plain(answer), expectedRead);
    };
    const expected = askModel(model, op);
    const answer = this.#tested.apply(op, leases, read);
    assert.deepEqual(plain(answer), plain(expected), `${op.kind} ${JSON.stringify(plain(op), bigints)}`);
    assert.equal(this.#tested.store.revision, model.revision);
    assert.equal(this.#tested.store.compactRevision, model.compactRevision);
  }

  async #disturb(): Promise<void> {
    const random = this.#random;
    const tested = this.#tested;
    if (random.chance(0.1)) tested.seal();
    if (random.chance(0.1)) await tested.write();
    if (random.chance(0.1)) await tested.drop();
    if (random.chance(0.05)) await tested.compactBackend();
    if (random.chance(0.15)) this.#beginRange();
    if (random.chance(0.15)) this.#finishRanges(random.below(3));
    if (random.chance(0.01)) {
      this.#finishRanges(0);
      tested.crash();
    }
  }

  #beginRange(): void {
    const request = this.#generator.range(this.#model);
    const answer = askModel(this.#model, { kind: "range", request }) as { response?: { kvs: KeyValue[] } };
    if (answer.response === undefined) return;
    const steps = this.#tested.store.rangeBatches(request, this.#random.between(1, 3), 1000);
    const collected: KeyValue[] = [];
    this.#open.push({ steps: collect(steps, collected), expected: plain(answer.response) });
    this.#open.at(-1)!.steps.next();
  }

  #finishRanges(keep: number): void {
    while (this.#open.length > keep) {
      const { steps, expected } = this.#open.shift()!;
      assert.deepEqual(plain(finish(steps)), expected, "a range that was held open");
    }
  }

  #checkAll(): void {
    const model = this.#model;
    const { store } = this.#tested;
    for (const lease of model.leases) {
      const keys = finish(store.keysOfLease(lease)).map(toBinaryKey);
      assert.deepEqual(keys, model.keysOfLease(lease), `keys of lease ${lease}`);
    }
    const revision = this.#random.between(Math.max(model.compactRevision, 1), model.revision) as Revision;
    assert.equal(
      finish(store.hashByRevision(revision)).hash,
      naiveHash(model, revision),
      `hash at ${revision}`,
    );
    for (const [key, kv] of model.stateAt(revision)) {
      assert.deepEqual(plain(store.keyValueAt(key, revision)), plain(kv));
    }
    for (const [key, kv] of model.stateAt(model.revision)) {
      assert.deepEqual(plain(store.get(Uint8Array.from(key, (c) => c.charCodeAt(0)))), plain(kv));
    }
    this.#checkHistory();
  }

  /** From anywhere that is not compacted, all changes come, in order, whole revisions at a time. */
  #checkHistory(): void {
    const model = this.#model;
    const { store } = this.#tested;
    // Versions of the compacted revision itself may be gone where a later one of the same revision replaced them.
    let after = this.#random.between(Math.max(model.compactRevision, 1), model.revision) as Revision;
    const expected = model.changes.filter((change) => change.revision > after);
    const found: string[] = [];
    while (after < store.revision) {
      const slice = finish(store.changes(after, this.#random.between(1, 10), 200));
      assert.ok(slice.upTo > after, "a slice gets on");
      for (const version of slice.versions) {
        assert.ok(version.modRevision > after && version.modRevision <= slice.upTo);
        found.push(`${version.modRevision}.${version.sub} ${version.key} ${version.version}`);
      }
      after = slice.upTo;
    }
    assert.deepEqual(
      found,
      expected.map((change) => `${change.revision}.${change.sub} ${change.key} ${change.kv.version}`),
    );
  }
}

function bigints(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

function* collect(
  steps: Generator<KeyValue[] | undefined, { count: number; more: boolean }, undefined>,
  kvs: KeyValue[],
): Steps<{ kvs: KeyValue[]; count: number; more: boolean }> {
  let step = steps.next();
  for (;;) {
    yield;
    if (step.done) return { kvs, count: step.value.count, more: step.value.more };
    if (step.value !== undefined) kvs.push(...step.value);
    step = steps.next();
  }
}

const wholeRange: RangeRequest = {
  ...emptyRangeRequest(),
  key: Uint8Array.of(0),
  rangeEnd: Uint8Array.of(0),
};

for (const [name, make] of Object.entries(backendsUnderTest)) {
  describe(`the store on the ${name} backend behaves as the naive etcd does`, () => {
    for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
      it(`seed ${seed}`, async () => {
        const { backend, dispose } = await make();
        await new Run(seed, backend).go();
        await dispose();
      });
    }
  });
}
