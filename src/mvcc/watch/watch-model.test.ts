/**
 * Watchers against the list of everything that happened: random histories, watchers that come and go, sinks that fill
 * up, seals, compactions and pauses in the middle of deliveries. `WATCH_SEED=… WATCH_RUNS=1` repeats a failure.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Change } from "../../../test/model/naive-etcd.ts";
import { isIn, NaiveEtcd } from "../../../test/model/naive-etcd.ts";
import type { Op } from "../../../test/model/random-ops.ts";
import { RandomOps } from "../../../test/model/random-ops.ts";
import { Random } from "../../../test/support/random.ts";
import type { Backend } from "../../backend/backend.ts";
import { EtcdError } from "../../errors/etcd-error.ts";
import { toBinaryKey } from "../../lib/binary-key.ts";
import type { Revision } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import { checkTxn } from "../check/check-txn.ts";
import { backendsUnderTest } from "../testing/backends.ts";
import type { Received } from "../testing/recording-sink.ts";
import { RecordingSink } from "../testing/recording-sink.ts";
import { StoreUnderTest } from "../testing/store-under-test.ts";
import type { StoreEvent } from "../types.ts";
import { WatchHub } from "./watch-hub.ts";
import type { WatchStream } from "./watch-stream.ts";

const firstSeed = Number(process.env["WATCH_SEED"] ?? 1);
const runs = Number(process.env["WATCH_RUNS"] ?? 12);
const stepsPerRun = Number(process.env["WATCH_STEPS"] ?? 300);

/** What a watcher asked for, and what it got until now. */
interface Expectation {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly noPut: boolean;
  readonly noDelete: boolean;
  /** The first revision it wants. */
  readonly from: number;
  readonly got: StoreEvent[];
  /** Everything up to here was promised to have come. */
  seenUpTo: number;
  ended: "no" | "cancelled" | "compacted";
}

class Client {
  readonly sink = new RecordingSink();
  readonly stream: WatchStream;
  readonly watchers = new Map<bigint, Expectation>();

  constructor(hub: WatchHub, model: NaiveEtcd) {
    this.stream = hub.openStream(this.sink);
    this.sink.onReceived = (received) => this.#check(received, model);
  }

  #check(received: Received, model: NaiveEtcd): void {
    if (received.kind === "progress") {
      for (const [id, watcher] of this.watchers) {
        if (received.id !== -1n && received.id !== id) continue;
        if (watcher.ended === "no") this.#promise(watcher, received.revision);
      }
      return;
    }
    const watcher = this.watchers.get(received.id);
    assert.ok(watcher !== undefined && watcher.ended === "no", "answers only for watchers that are there");
    if (received.kind === "compacted") {
      assert.equal(received.revision, model.compactRevision);
      assert.ok(watcher.seenUpTo + 1 < received.revision, "only who needs what is gone is cancelled");
      watcher.ended = "compacted";
      return;
    }
    assert.ok(received.events.length > 0);
    for (const event of received.events) {
      assert.ok(event.modRevision > watcher.seenUpTo, "no event comes after it was promised to have come");
      assert.ok(event.modRevision <= received.revision);
      this.#checkPrevious(event, model);
      watcher.got.push(event);
    }
    this.#promise(watcher, received.revision);
  }

  #promise(watcher: Expectation, revision: number): void {
    assert.ok(revision >= watcher.seenUpTo, "what was seen does not shrink");
    watcher.seenUpTo = revision;
  }

  #checkPrevious(event: StoreEvent, model: NaiveEtcd): void {
    const changes = model.changes.filter(
      (c) => c.revision === event.modRevision && c.key === event.binaryKey,
    );
    const change = changes.find((c) => c.kind === event.kind && c.kv.version === event.kv.version)!;
    const expected = model.previous(change);
    // After a compaction the version before may be there or not.
    if (event.prevKv === undefined && event.modRevision - 1 < model.compactRevision) return;
    assert.equal(event.prevKv?.modRevision, expected?.modRevision);
    assert.equal(event.prevKv?.version, expected?.version);
  }
}

class Run {
  readonly #random: Random;
  readonly #model = new NaiveEtcd();
  readonly #tested: StoreUnderTest;
  readonly #generator: RandomOps;
  readonly #hub: WatchHub;
  readonly #clients: Client[] = [];
  #delivery: Steps<void> | undefined;

  constructor(seed: number, backend: Backend) {
    this.#random = new Random(seed);
    this.#generator = new RandomOps(this.#random);
    this.#tested = new StoreUnderTest(backend);
    this.#hub = new WatchHub(this.#tested.store);
    for (let i = 0; i < 3; i++) this.#clients.push(new Client(this.#hub, this.#model));
  }

  async go(): Promise<void> {
    for (let i = 0; i < stepsPerRun; i++) {
      if (this.#random.chance(0.6)) this.#write();
      if (this.#random.chance(0.3)) this.#changeWatchers();
      await this.#disturb();
      this.#deliver(this.#random.below(4));
    }
    this.#settle();
    for (const client of this.#clients) {
      for (const watcher of client.watchers.values()) this.#checkComplete(watcher);
    }
    await this.#tested.drop();
  }

  #write(): void {
    const op = this.#generator.next(this.#model);
    if (op.kind === "range") return;
    const leases = new Set(this.#model.leases);
    try {
      applyToModel(this.#model, op);
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
    }
    this.#tested.apply(op, leases, () => {
      // Watchers may be delivered to while a transaction is being written.
      if (this.#random.chance(0.3)) this.#deliver(1);
    });
    assert.equal(this.#tested.store.revision, this.#model.revision);
  }

  #changeWatchers(): void {
    const random = this.#random;
    const client = random.pick(this.#clients);
    if (random.chance(0.25) && client.watchers.size > 0) {
      const id = random.pick([...client.watchers.keys()]);
      const watcher = client.watchers.get(id)!;
      assert.equal(client.stream.cancel(id), true);
      if (watcher.ended === "no") watcher.ended = "cancelled";
      this.#checkComplete(watcher);
      client.watchers.delete(id);
      return;
    }
    const key = this.#generator.key();
    const rangeEnd = this.#generator.rangeEnd(key);
    const start = random.chance(0.4) ? 0 : random.between(1, this.#model.revision + 2);
    const options = { noPut: random.chance(0.15), noDelete: random.chance(0.15) };
    const created = client.stream.create({
      key,
      rangeEnd,
      startRevision: start,
      progressNotify: random.chance(0.5),
      ...options,
    });
    if ("refused" in created) {
      assert.ok(rangeEnd.length > 0 && toBinaryKey(rangeEnd) <= toBinaryKey(key), created.refused);
      return;
    }
    const from = start === 0 ? this.#model.revision + 1 : start;
    const watcher = { key, rangeEnd, from, got: [], seenUpTo: from - 1, ended: "no" as const, ...options };
    client.watchers.set(created.id, watcher);
  }

  async #disturb(): Promise<void> {
    const random = this.#random;
    const tested = this.#tested;
    const client = random.pick(this.#clients);
    if (random.chance(0.1)) tested.seal();
    if (random.chance(0.1)) await tested.write();
    if (random.chance(0.1)) await tested.drop();
    if (random.chance(0.05)) await tested.compactBackend();
    if (random.chance(0.1)) client.sink.room = random.below(4);
    if (random.chance(0.2)) this.#drain(client, random.below(5));
    if (random.chance(0.1)) client.stream.requestProgress();
    if (random.chance(0.1)) client.stream.tick();
  }

  #drain(client: Client, room: number): void {
    client.sink.room = room;
    client.stream.drained();
  }

  #deliver(steps: number): void {
    for (let i = 0; i < steps; i++) {
      this.#delivery ??= this.#hub.hasWork ? this.#hub.deliver() : undefined;
      if (this.#delivery === undefined) return;
      if (this.#delivery.next().done) this.#delivery = undefined;
    }
  }

  /** Everybody gets all there is. */
  #settle(): void {
    for (let round = 0; round < 100; round++) {
      for (const client of this.#clients) this.#drain(client, Number.POSITIVE_INFINITY);
      this.#deliver(10_000);
      if (!this.#hub.hasWork && this.#delivery === undefined) break;
    }
    assert.equal(this.#hub.counts.slow, 0);
    for (const client of this.#clients) {
      client.stream.requestProgress();
      for (const watcher of client.watchers.values()) {
        if (watcher.ended === "no") watcher.seenUpTo = Math.max(watcher.seenUpTo, this.#model.revision);
      }
    }
  }

  /** All that was promised to have come has come, once and in order. */
  #checkComplete(watcher: Expectation): void {
    const expected = this.#model
      .eventsSince(watcher.from, watcher.key, watcher.rangeEnd)
      .filter((change) => change.revision <= watcher.seenUpTo)
      .filter((change) => (change.kind === "put" ? !watcher.noPut : !watcher.noDelete));
    assert.ok(watcher.got.every((event) => isIn(event.binaryKey, watcher.key, watcher.rangeEnd)));
    assert.deepEqual(withoutReplaced(watcher.got.map(eventForm)), withoutReplaced(expected.map(changeForm)));
  }
}

interface Form {
  readonly at: string;
  readonly text: string;
}

function eventForm(event: StoreEvent): Form {
  const { kv } = event;
  const text = `${event.kind} ${kv.version} ${kv.createRevision} ${kv.lease} ${toBinaryKey(kv.value)}`;
  return { at: `${event.modRevision} ${toBinaryKey(kv.key)}`, text };
}

function changeForm({ kind, key, kv, revision }: Change): Form {
  const text = `${kind} ${kv.version} ${kv.createRevision} ${kv.lease} ${toBinaryKey(kv.value)}`;
  return { at: `${revision} ${key}`, text };
}

/** A change that a later one of the same transaction replaced may be gone after a compaction at its revision. */
function withoutReplaced(forms: readonly Form[]): string[] {
  return forms
    .filter((form, i) => !forms.slice(i + 1).some((later) => later.at === form.at))
    .map((form) => `${form.at}: ${form.text}`);
}

function applyToModel(model: NaiveEtcd, op: Op): void {
  if (op.kind === "txn") {
    checkTxn(op.request, 128);
    model.txn(op.request);
  } else if (op.kind === "put") model.put(op.request);
  else if (op.kind === "deleteRange") model.deleteRange(op.request);
  else if (op.kind === "compact") model.compact(op.revision as Revision);
  else if (op.kind === "grant") model.grant(op.lease);
  else if (op.kind === "revoke") model.revoke(op.lease);
}

for (const [name, make] of Object.entries(backendsUnderTest)) {
  describe(`watchers on the ${name} backend get what happened`, () => {
    for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
      it(`seed ${seed}`, async () => {
        const { backend, dispose } = await make();
        await new Run(seed, backend).go();
        await dispose();
      });
    }
  });
}
