/**
 * Random work on a backend, compared with the naive model after every step. A failure names its seed; setting
 * ETCLITE_TEST_SEED runs that one alone.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LeaseId } from "../../lib/ids.ts";
import { Prng } from "../../lib/prng.ts";
import type { Backend, BinaryKey, KeySpan, Version } from "../backend.ts";
import { type ContractSubject, countAll, plain, rev } from "./contract-subject.ts";
import { type Change, HistoryMaker } from "./history-maker.ts";
import { NaiveModel } from "./naive-model.ts";

const seeds = process.env["ETCLITE_TEST_SEED"]
  ? [Number(process.env["ETCLITE_TEST_SEED"])]
  : [1, 2, 3, 4, 5, 6];
const stepsPerSeed = 60;

export function propertySuite(subject: ContractSubject): void {
  describe(`backend against a naive model: ${subject.name}`, () => {
    for (const seed of seeds) {
      it(`seed ${seed}`, async () => {
        const run = new Run(subject, seed);
        await run.open();
        try {
          for (let step = 0; step < stepsPerSeed; step++) await run.step();
          await run.finish();
        } catch (error) {
          throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, {
            cause: error,
          });
        } finally {
          await run.close();
        }
      });
    }
  });
}

class Run {
  readonly #subject: ContractSubject;
  readonly #random: Prng;
  readonly #maker = new HistoryMaker();
  readonly #model = new NaiveModel();
  readonly #keys: BinaryKey[];
  #backend: Backend | undefined;
  /** Generations whose writing nobody has waited for. */
  #unwritten: Promise<void>[] = [];
  #compacting: Promise<unknown> = Promise.resolve();

  constructor(subject: ContractSubject, seed: number) {
    this.#subject = subject;
    this.#random = new Prng(seed);
    const count = this.#random.pick([3, 20, 200]);
    this.#keys = Array.from({ length: count }, () => this.#randomKey());
  }

  /** Short keys of few letters, so that some are beginnings of others. */
  #randomKey(): BinaryKey {
    const length = this.#random.below(7);
    let key = "";
    for (let i = 0; i < length; i++) key += this.#random.pick(["\0", "a", "b", "/", "\x80", "\xff"]);
    return key;
  }

  async open(): Promise<void> {
    this.#backend = await this.#subject.open();
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#unwritten, this.#compacting]);
    await this.#backend?.close();
    if (this.#backend) await this.#subject.inspect?.(this.#backend);
  }

  async step(): Promise<void> {
    const choice = this.#random.below(100);
    if (choice < 45) await this.#write();
    else if (choice < 50) this.#startCompaction();
    else if (choice < 53) await this.#settle().then(() => this.#backend!.defragment());
    else if (choice < 56) await this.#reopen();
    else if (choice < 58) await this.#backend!.sync();
    else this.#compareAtRandom();
  }

  async finish(): Promise<void> {
    await this.#settle();
    const { compactRevision } = this.#model;
    await this.#backend!.compact(rev(compactRevision));
    this.#model.compact(compactRevision);
    const all = this.#backend!.history({ revision: rev(0), sub: 0 }, 1e6, Number.POSITIVE_INFINITY);
    assert.deepEqual(all.map(plain), this.#model.versions);
    for (let i = 0; i < 20; i++) this.#compareAtRandom();
  }

  async #settle(): Promise<void> {
    await Promise.all(this.#unwritten);
    this.#unwritten = [];
    await this.#compacting;
  }

  async #write(): Promise<void> {
    const transactions = this.#random.pick([1, 5, 60]);
    for (let i = 0; i < transactions; i++) {
      const keys = new Set(
        Array.from({ length: 1 + this.#random.below(4) }, () => this.#random.pick(this.#keys)),
      );
      this.#maker.transaction(...[...keys].map((key) => this.#change(key)));
    }
    if (this.#random.chance(0.3)) {
      const value = this.#random.chance(0.6) ? String(this.#random.below(1000)) : undefined;
      this.#maker.meta(this.#random.pick(["lease", "auth"]), this.#randomKey(), value);
    }
    const generation = this.#maker.generation();
    this.#model.write(generation);
    this.#unwritten.push(this.#backend!.write(generation));
    if (this.#random.chance(0.7)) {
      await Promise.all(this.#unwritten);
      this.#unwritten = [];
    }
  }

  #change(key: BinaryKey): Change {
    if (this.#random.chance(0.25)) return { delete: key };
    const lease = this.#random.chance(0.3) ? BigInt(this.#random.below(3)) - 1n : 0n;
    return { put: key, value: "v".repeat(this.#random.pick([0, 1, 10, 300, 6000])), lease };
  }

  #startCompaction(): void {
    const from = this.#model.compactRevision;
    const revision = from + this.#random.below(this.#model.revision - from + 1);
    this.#maker.compactTo(revision);
    const generation = this.#maker.generation();
    this.#model.write(generation);
    const written = this.#backend!.write(generation);
    this.#unwritten.push(written);
    const signal = { aborted: this.#random.chance(0.2) };
    const backend = this.#backend!;
    this.#compacting = Promise.all([this.#compacting, written]).then(() =>
      backend.compact(rev(revision), signal),
    );
  }

  async #reopen(): Promise<void> {
    if (!this.#subject.reopen) return;
    await this.#settle();
    this.#backend = await this.#subject.reopen(this.#backend!);
    assert.equal(this.#backend.position.revision, this.#model.revision);
  }

  #randomSpan(): KeySpan {
    const from = this.#random.chance(0.3) ? "" : this.#random.pick(this.#keys);
    return { from, to: this.#random.chance(0.3) ? undefined : this.#random.pick(this.#keys) };
  }

  /** Only for revisions that are written, and not compacted: for others the contract leaves it open. */
  #compareAtRandom(): void {
    const backend = this.#backend!;
    const model = this.#model;
    const written = backend.position.revision;
    const oldest = model.compactRevision;
    if (oldest > written) return;
    const at = rev(this.#random.chance(0.4) ? written : oldest + this.#random.below(written - oldest + 1));
    for (let i = 0; i < 5; i++) {
      const key = this.#random.pick(this.#keys);
      const expected = live(model.versionAt(key, at));
      assert.deepEqual(live(plain(backend.versionAt(key, at))), expected, `${JSON.stringify(key)} at ${at}`);
    }
    const span = this.#randomSpan();
    const rows = model.scan(span, at);
    const descending = this.#random.chance(0.5);
    const limit = this.#random.pick([1, 5, 1000]);
    const scanned = backend.scan(span, { atRevision: at, limit, descending });
    assert.deepEqual(scanned.map(plain), (descending ? rows.toReversed() : rows).slice(0, limit));
    const count = countAll(backend, span, at, limit);
    assert.equal(count, rows.length, `count of ${JSON.stringify(span)} at ${at}`);
    const after = { revision: at, sub: this.#random.below(3) };
    const history = model.history(after).filter((version) => version.modRevision <= written);
    assert.deepEqual(backend.history(after, 1e6, Number.POSITIVE_INFINITY).map(plain), history);
    if (this.#unwritten.length === 0) this.#compareNewest(backend, model);
  }

  /** What has no revision is only certain when nothing is being written. */
  #compareNewest(backend: Backend, model: NaiveModel): void {
    const key = this.#random.pick(this.#keys);
    assert.equal(liveRevision(backend.newestHead(key)), liveRevision(model.newestHead(key)));
    for (const lease of [-1n, 0n, 1n] as LeaseId[]) {
      if (lease !== 0n)
        assert.deepEqual(backend.keysOfLease(lease, undefined, 1e6), model.keysOfLease(lease));
    }
    assert.deepEqual(backend.meta("lease", undefined, 1e6).map(plain), model.metaRows("lease"));
  }
}

/** Tombstones may be gone. */
function live(version: Version | undefined): Version | undefined {
  return version && version.version > 0 ? version : undefined;
}

function liveRevision(head: { version: number; modRevision: number } | undefined): number | undefined {
  return head && head.version > 0 ? head.modRevision : undefined;
}
