/**
 * What every backend has to do. A new implementation calls `contractSuite` from a test file of its own; see DESIGN.md.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { LeaseId, Revision } from "../../lib/ids.ts";
import type { Backend, BackendPosition, BinaryKey, KeySpan, Version } from "../backend.ts";
import { bytesOf, HistoryMaker } from "./history-maker.ts";
import { NaiveModel } from "./naive-model.ts";

export interface ContractSubject {
  readonly name: string;
  /** A new, empty store. */
  open(): Promise<Backend>;
  /** Closes a store and opens the same data again; undefined if nothing survives a close. */
  readonly reopen?: (backend: Backend) => Promise<Backend>;
}

export const everything: KeySpan = { from: "", to: undefined };
export const rev = (revision: number) => revision as Revision;
const allBytes = Number.POSITIVE_INFINITY;

/** Buffers and Uint8Arrays are the same to us. */
export function plain<T extends { readonly value: Uint8Array }>(row: T | undefined): T | undefined {
  return row && { ...row, value: new Uint8Array(row.value) };
}

function sameRows(actual: readonly Version[], expected: readonly Version[]): void {
  assert.deepEqual(actual.map(plain), expected);
}

/** Writes what `maker` has to the backend and to the model. */
async function write(backend: Backend, maker: HistoryMaker, model?: NaiveModel): Promise<void> {
  const generation = maker.generation();
  model?.write(generation);
  await backend.write(generation);
}

export function contractSuite(subject: ContractSubject): void {
  describe(`backend contract: ${subject.name}`, () => {
    emptyStore(subject);
    fields(subject);
    past(subject);
    scans(subject);
    counts(subject);
    histories(subject);
    leases(subject);
    metaRows(subject);
    compaction(subject);
    writing(subject);
    if (subject.reopen) survival(subject, subject.reopen);
  });
}

/** A store for one test. */
async function withStore(subject: ContractSubject, test: (backend: Backend) => Promise<void>): Promise<void> {
  const backend = await subject.open();
  try {
    await test(backend);
  } finally {
    await backend.close();
  }
}

function emptyStore(subject: ContractSubject): void {
  it("is empty at first", () =>
    withStore(subject, async (backend) => {
      const position = {
        revision: 1,
        appliedIndex: 0,
        appliedTerm: 0,
        compactRevision: 0,
        compactedRevision: 0,
      };
      assert.deepEqual(backend.position, position as BackendPosition);
      assert.deepEqual(backend.durable, position as BackendPosition);
      assert.equal(backend.versionAt("a", rev(1)), undefined);
      assert.equal(backend.newestHead("a"), undefined);
      assert.deepEqual(backend.scan(everything, { atRevision: rev(1), limit: 10 }), []);
      assert.deepEqual(backend.scanPart(everything, { atRevision: rev(1), limit: 10 }), {
        rows: [],
        rest: undefined,
      });
      assert.deepEqual(backend.count(everything, rev(1), 10), { count: 0, next: undefined });
      assert.deepEqual(backend.history({ revision: rev(0), sub: 0 }, 10, allBytes), []);
      assert.deepEqual(backend.keysOfLease(1n as LeaseId, undefined, 10), []);
      assert.deepEqual(backend.meta("lease", undefined, 10), []);
      const { totalBytes, inUseBytes } = backend.sizes();
      assert.ok(inUseBytes <= totalBytes);
    }));
}

function fields(subject: ContractSubject): void {
  it("keeps every field as it was", () =>
    withStore(subject, async (backend) => {
      const maker = new HistoryMaker();
      const model = new NaiveModel();
      const odd: BinaryKey[] = [
        "",
        "\0",
        "\0\0",
        "a",
        "a\0",
        "a\0b",
        "\x7f",
        "\x80",
        "\xff",
        "\xff\xff",
        "k".repeat(3000),
      ];
      for (const [i, key] of odd.entries()) maker.put(key, `value ${i}`);
      maker.put("empty value", "");
      maker.put("big value", new Uint8Array(2_000_000).fill(7));
      const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
      maker.put(Buffer.from(everyByte).toString("latin1"), everyByte);
      for (const lease of [1n, -1n, 2n ** 31n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
        maker.put(`lease ${lease}`, "", lease);
      }
      maker.delete("a");
      await write(backend, maker, model);
      for (const { key, modRevision } of model.versions) {
        assert.deepEqual(plain(backend.versionAt(key, modRevision)), model.versionAt(key, modRevision));
        const { value: _, ...head } = model.newestHead(key)!;
        const { value: __, ...actual } = backend.newestHead(key)! as Version;
        assert.deepEqual(actual, head);
      }
      sameRows(
        backend.scan(everything, { atRevision: rev(maker.revision), limit: 100 }),
        model.scan(everything, 1e9),
      );
      sameRows(backend.history({ revision: rev(0), sub: 0 }, 100, allBytes), model.versions);
      assert.equal(backend.position.revision, maker.revision);
      assert.equal(backend.position.appliedIndex, maker.appliedIndex);
      assert.equal(backend.position.appliedTerm, 1);
    }));

  it("does not depend on what happens to a generation's bytes later", () =>
    withStore(subject, async (backend) => {
      const chunk = new Uint8Array(65536).fill(65);
      await write(backend, new HistoryMaker().put("k", chunk.subarray(100, 104)));
      chunk.fill(66);
      assert.deepEqual(plain(backend.versionAt("k", rev(2)))!.value, bytesOf("AAAA"));
    }));
}

function past(subject: ContractSubject): void {
  it("answers for every revision of a key with a long history", () =>
    withStore(subject, async (backend) => {
      const maker = new HistoryMaker();
      const model = new NaiveModel();
      for (let i = 0; i < 500; i++) {
        // Some revisions belong to others; every 37th is a deletion; generations of uneven length.
        maker.put(i % 5 === 0 ? "other" : "hot", `value ${i}`);
        if (i % 37 === 0) maker.delete("hot");
        if (i % 61 === 0) await write(backend, maker, model);
      }
      await write(backend, maker, model);
      for (let at = 0; at <= maker.revision + 1; at++) {
        assert.deepEqual(plain(backend.versionAt("hot", rev(at))), model.versionAt("hot", at), `at ${at}`);
      }
    }));

  it("tells apart the versions of one transaction", () =>
    withStore(subject, async (backend) => {
      const maker = new HistoryMaker();
      const model = new NaiveModel();
      maker.put("b", "old");
      maker.transaction({ put: "c" }, { put: "a" }, { delete: "b" }, { put: "d", lease: 5n });
      await write(backend, maker, model);
      assert.equal(backend.newestHead("a")!.sub, 1);
      assert.equal(backend.newestHead("d")!.sub, 3);
      assert.equal(backend.versionAt("b", rev(3))!.version, 0);
      assert.deepEqual(plain(backend.versionAt("b", rev(2))), model.versionAt("b", 2));
      sameRows(backend.scan(everything, { atRevision: rev(3), limit: 9 }), model.scan(everything, 3));
    }));
}

/** 300 keys of which some are deleted, some come back, some are overwritten, over about 1000 revisions. */
async function fill(backend: Backend): Promise<{ maker: HistoryMaker; model: NaiveModel }> {
  const maker = new HistoryMaker();
  const model = new NaiveModel();
  const key = (i: number) => `key ${String(i % 300).padStart(3, "0")}`;
  for (let i = 0; i < 900; i++) {
    const n = (i * 7919) % 1000;
    if (n % 4 === 3) maker.delete(key(n));
    else
      maker.transaction(
        { put: key(n), value: `v${i}` },
        { put: key(n + 150), value: `w${i}`, lease: BigInt(n % 3) },
      );
    if (i % 200 === 199) await write(backend, maker, model);
  }
  await write(backend, maker, model);
  return { maker, model };
}

const spans: readonly KeySpan[] = [
  everything,
  { from: "key 100", to: undefined },
  { from: "key 050", to: "key 200" },
  { from: "key 2", to: "key 2\xff" },
  { from: "key 123", to: "key 123\0" },
  { from: "l", to: "z" },
  { from: "key 200", to: "key 100" },
];

function scans(subject: ContractSubject): void {
  describe("scans", () => {
    let backend: Backend;
    let model: NaiveModel;
    let newest: number;
    before(async () => {
      backend = await subject.open();
      const filled = await fill(backend);
      model = filled.model;
      newest = filled.maker.revision;
    });
    after(() => backend.close());

    it("gives the live rows of a span, at any revision, in both directions", () => {
      for (const span of spans) {
        for (const at of [1, 2, 100, 500, newest - 1, newest, newest + 10]) {
          const expected = model.scan(span, at);
          const options = { atRevision: rev(at), limit: 1000 };
          sameRows(backend.scan(span, options), expected);
          sameRows(backend.scan(span, { ...options, descending: true }), expected.toReversed());
          const bare = expected.map((row) => ({ ...row, value: new Uint8Array() }));
          sameRows(backend.scan(span, { ...options, keysOnly: true }), bare);
          for (const limit of [0, 1, 7]) {
            sameRows(backend.scan(span, { ...options, limit }), expected.slice(0, limit));
            const reversed = expected.toReversed().slice(0, limit);
            sameRows(backend.scan(span, { ...options, limit, descending: true }), reversed);
          }
        }
      }
    });

    it("gives the same in bounded parts", () => {
      for (const span of spans) {
        for (const at of [2, 500, newest]) {
          for (const bounds of [
            { visits: 1 },
            { visits: 17 },
            { bytes: 1 },
            { bytes: 40 },
            { limit: 3 },
            {},
          ]) {
            for (const descending of [false, true]) {
              const rows: Version[] = [];
              let rest: KeySpan | undefined = span;
              let parts = 0;
              while (rest) {
                const options = { atRevision: rev(at), limit: 1000, descending, ...bounds };
                const part = backend.scanPart(rest, options);
                assert.ok(part.rows.length <= Math.min(options.limit, bounds.visits ?? options.limit));
                const size = part.rows
                  .slice(0, -1)
                  .reduce((n, row) => n + row.key.length + row.value.length, 0);
                assert.ok(size < (bounds.bytes ?? Number.POSITIVE_INFINITY));
                rows.push(...part.rows);
                rest = part.rest;
                assert.ok(++parts < 1000, "a scan that does not end");
              }
              const expected = model.scan(span, at);
              sameRows(rows, descending ? expected.toReversed() : expected);
            }
          }
        }
      }
    });
  });
}

/** Adds up the parts of a count. */
export function countAll(backend: Backend, span: KeySpan, at: number, limit: number): number {
  let total = 0;
  let calls = 0;
  for (let from: BinaryKey | undefined = span.from; from !== undefined; ) {
    const part = backend.count({ from, to: span.to }, rev(at), limit);
    assert.ok(part.count <= limit);
    total += part.count;
    from = part.next;
    assert.ok(++calls < 10_000, "a count that does not end");
  }
  return total;
}

function counts(subject: ContractSubject): void {
  it("counts live keys at any revision, in slices", () =>
    withStore(subject, async (backend) => {
      const { model, maker } = await fill(backend);
      for (const span of spans) {
        for (const at of [1, 2, 100, 500, maker.revision - 1, maker.revision, maker.revision + 10]) {
          const expected = model.scan(span, at).length;
          for (const limit of [1, 10, 299, 300, 301, 10_000]) {
            const total = countAll(backend, span, at, limit);
            assert.equal(total, expected, `${JSON.stringify(span)} at ${at}, ${limit} at a time`);
          }
        }
      }
    }));
}

function histories(subject: ContractSubject): void {
  it("gives all versions after any place, in order and in bounded parts", () =>
    withStore(subject, async (backend) => {
      const { model, maker } = await fill(backend);
      for (const revision of [0, 1, 2, 3, 77, 500, maker.revision - 1, maker.revision, maker.revision + 1]) {
        for (const sub of [-1, 0, 1, 5]) {
          const place = { revision: rev(revision), sub };
          const expected = model.history(place);
          sameRows(backend.history(place, 10_000, allBytes), expected);
          sameRows(backend.history(place, 5, allBytes), expected.slice(0, 5));
          sameRows(backend.history(place, 10_000, 1), expected.slice(0, 1));
        }
      }
      const met: Version[] = [];
      let place = { revision: rev(0), sub: 0 };
      for (;;) {
        const part = backend.history(place, 100, 300);
        const last = part.at(-1);
        if (!last) break;
        met.push(...part);
        place = { revision: last.modRevision, sub: last.sub };
      }
      sameRows(met, model.versions);
    }));
}

function leases(subject: ContractSubject): void {
  it("knows the keys of a lease as they come and go", () =>
    withStore(subject, async (backend) => {
      const maker = new HistoryMaker();
      const model = new NaiveModel();
      const check = () => {
        for (const lease of [7n, -8n, 9n] as LeaseId[]) {
          const expected = model.keysOfLease(lease);
          assert.deepEqual(backend.keysOfLease(lease, undefined, 100), expected);
          assert.deepEqual(backend.keysOfLease(lease, undefined, 2), expected.slice(0, 2));
          const last = expected[0];
          if (last) assert.deepEqual(backend.keysOfLease(lease, last, 100), expected.slice(1));
        }
      };
      for (const key of ["", "a", "b", "c", "d", "\xff"]) maker.put(key, "", 7n);
      await write(backend, maker, model);
      check();
      maker.put("a", "", -8n).put("b").delete("c").put("e", "", 7n);
      await write(backend, maker, model);
      check();
      maker.put("c", "", -8n).put("a", "", 9n).put("a", "", 7n).delete("d");
      await write(backend, maker, model);
      check();
    }));
}

function metaRows(subject: ContractSubject): void {
  it("keeps the rows of other modules", () =>
    withStore(subject, async (backend) => {
      const maker = new HistoryMaker();
      const model = new NaiveModel();
      const check = () => {
        for (const bucket of ["lease", "members", "none"]) {
          const expected = model.metaRows(bucket);
          assert.deepEqual(backend.meta(bucket, undefined, 100).map(plain), expected);
          assert.deepEqual(backend.meta(bucket, undefined, 1).map(plain), expected.slice(0, 1));
          if (expected[0])
            assert.deepEqual(backend.meta(bucket, expected[0].key, 9).map(plain), expected.slice(1));
        }
      };
      maker
        .meta("lease", "\x01", "one")
        .meta("lease", "\xff", "")
        .meta("members", "\x01", "other")
        .meta("lease", "", "e");
      await write(backend, maker, model);
      check();
      maker.meta("lease", "\x01", "two").meta("lease", "\xff", undefined).meta("members", "none", undefined);
      maker
        .meta("lease", "x", "x")
        .meta("lease", "x", undefined)
        .meta("lease", "y", undefined)
        .meta("lease", "y", "y");
      await write(backend, maker, model);
      check();
      assert.equal(backend.position.revision, 1);
      assert.equal(backend.position.appliedIndex, maker.appliedIndex);
    }));
}

function compaction(subject: ContractSubject): void {
  it("removes what is superseded, and nothing else", () =>
    withStore(subject, async (backend) => {
      const { model, maker } = await fill(backend);
      for (const part of [0.3, 0.3, 0.7, 1]) {
        const revision = Math.floor(maker.revision * part);
        if (revision > maker.compactRevision) {
          maker.compactTo(revision);
          await write(backend, maker, model);
          assert.equal(backend.position.compactRevision, revision);
        }
        const before = model.versions.length;
        model.compact(revision);
        const progress = await backend.compact(rev(revision));
        assert.equal(progress.removed, before - model.versions.length);
        assert.equal(backend.position.compactedRevision, revision);
        sameRows(backend.history({ revision: rev(0), sub: 0 }, 10_000, allBytes), model.versions);
        for (const at of [revision, revision + 1, maker.revision]) {
          sameRows(
            backend.scan(everything, { atRevision: rev(at), limit: 1000 }),
            model.scan(everything, at),
          );
          assert.equal(countAll(backend, everything, at, 1000), model.scan(everything, at).length);
        }
      }
      // Keys whose tombstones are gone can come back.
      for (let i = 0; i < 300; i++) maker.put(`key ${String(i).padStart(3, "0")}`, "again");
      await write(backend, maker, model);
      for (const at of [maker.revision - 150, maker.revision]) {
        sameRows(backend.scan(everything, { atRevision: rev(at), limit: 1000 }), model.scan(everything, at));
      }
    }));

  it("can be broken off and called again", () =>
    withStore(subject, async (backend) => {
      const { model, maker } = await fill(backend);
      maker.compactTo(maker.revision);
      await write(backend, maker, model);
      assert.equal((await backend.compact(rev(maker.revision), { aborted: true })).removed, 0);
      assert.equal(backend.position.compactedRevision, 0);
      await backend.compact(rev(maker.revision));
      model.compact(maker.revision);
      sameRows(backend.history({ revision: rev(0), sub: 0 }, 10_000, allBytes), model.versions);
    }));

  it("never disturbs reads and writes that go on beside it", () =>
    withStore(subject, async (backend) => {
      const { model, maker } = await fill(backend);
      const compactRevision = maker.revision - 50;
      maker.compactTo(compactRevision);
      await write(backend, maker, model);
      let running = true;
      const done = backend.compact(rev(compactRevision)).then(() => backend.defragment());
      done.then(
        () => {
          running = false;
        },
        () => {
          running = false;
        },
      );
      let rounds = 0;
      const written = model.revision;
      while (running || rounds < 3) {
        rounds++;
        for (const at of [compactRevision, compactRevision + 20, written]) {
          sameRows(
            backend.scan(everything, { atRevision: rev(at), limit: 1000 }),
            model.scan(everything, at),
          );
        }
        sameRows(
          backend.history({ revision: rev(compactRevision), sub: 9 }, 10_000, allBytes),
          model.history({ revision: rev(compactRevision), sub: 9 }),
        );
        maker.put(`key ${rounds % 300}`, "while compacting");
        await write(backend, maker, model);
      }
      await done;
      model.compact(compactRevision);
      sameRows(backend.history({ revision: rev(0), sub: 0 }, 100_000, allBytes), model.versions);
    }));

  it("gives space back", () =>
    withStore(subject, async (backend) => {
      const maker = new HistoryMaker();
      const value = new Uint8Array(1000).fill(1);
      for (let round = 0; round < 5; round++) {
        for (let i = 0; i < 400; i++) maker.put(`k${i}`, value);
        await write(backend, maker);
      }
      const full = backend.sizes();
      assert.ok(full.totalBytes >= 2_000_000);
      maker.compactTo(maker.revision);
      await write(backend, maker);
      await backend.compact(rev(maker.revision));
      const compacted = backend.sizes();
      assert.ok(compacted.inUseBytes < full.inUseBytes / 2, `${compacted.inUseBytes} of ${full.inUseBytes}`);
      await backend.defragment();
      const small = backend.sizes();
      assert.ok(small.totalBytes < full.totalBytes / 2, `${small.totalBytes} of ${full.totalBytes}`);
      const rows = backend.scan(everything, { atRevision: rev(maker.revision), limit: 1000 });
      assert.equal(rows.length, 400);
    }));
}

function writing(subject: ContractSubject): void {
  it("takes generations that are handed over without waiting", () =>
    withStore(subject, async (backend) => {
      const maker = new HistoryMaker();
      const model = new NaiveModel();
      const written: Promise<void>[] = [];
      for (let i = 0; i < 20; i++) {
        for (let j = 0; j <= i; j++) maker.put(`k${j}`, `${i}`);
        const generation = maker.generation();
        model.write(generation);
        const { revision } = generation;
        written.push(backend.write(generation).then(() => assert.ok(backend.position.revision >= revision)));
      }
      await Promise.all(written);
      sameRows(backend.history({ revision: rev(0), sub: 0 }, 1000, allBytes), model.versions);
    }));

  it("does not show versions in its history before it says that they are written", () =>
    withStore(subject, async (backend) => {
      const maker = new HistoryMaker();
      await write(backend, maker.put("a"));
      for (let i = 0; i < 2000; i++) maker.put(`k${i}`);
      const written = backend.write(maker.generation());
      let settled = false;
      const end = written.then(() => {
        settled = true;
      });
      while (!settled) {
        assert.equal(backend.history({ revision: rev(1), sub: 0 }, 10_000, allBytes).length, 1);
        assert.equal(backend.scan(everything, { atRevision: rev(2), limit: 10_000 }).length, 1);
        assert.equal(countAll(backend, everything, 2, 10_000), 1);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await end;
      assert.equal(backend.history({ revision: rev(1), sub: 0 }, 10_000, allBytes).length, 2001);
    }));

  it("says what is durable", () =>
    withStore(subject, async (backend) => {
      const maker = new HistoryMaker();
      await write(backend, maker.put("a"));
      assert.ok(backend.durable.appliedIndex <= backend.position.appliedIndex);
      await backend.sync();
      assert.deepEqual(backend.durable, backend.position);
      await write(backend, maker.put("b"));
      assert.ok(backend.durable.appliedIndex >= 1);
      await backend.sync();
      assert.equal(backend.durable.appliedIndex, 2);
    }));

  it("refuses a generation that is not newer, and everything after it", () =>
    withStore(subject, async (backend) => {
      const maker = new HistoryMaker();
      await write(backend, maker.put("a"));
      await assert.rejects(backend.write(new HistoryMaker().put("b").generation()), /not newer/);
      await assert.rejects(backend.write(maker.put("c").generation()), /not newer/);
      assert.equal(backend.position.revision, 2);
      assert.equal(backend.newestHead("a")!.modRevision, 2);
    }));

  it("refuses everything once it is closed", async () => {
    const backend = await subject.open();
    const last = backend.write(new HistoryMaker().put("a").generation());
    await backend.close();
    await last;
    await backend.close();
    assert.throws(() => backend.newestHead("a"), /closed/);
    assert.throws(() => backend.scan(everything, { atRevision: rev(1), limit: 1 }), /closed/);
    await assert.rejects(backend.write(new HistoryMaker().put("b").generation()), /closed/);
    await assert.rejects(backend.compact(rev(1)), /closed/);
    await assert.rejects(backend.defragment(), /closed/);
    await assert.rejects(backend.sync(), /closed/);
  });
}

function survival(subject: ContractSubject, reopen: (backend: Backend) => Promise<Backend>): void {
  it("finds everything again after it was closed", async () => {
    let backend = await subject.open();
    try {
      const { maker, model } = await fill(backend);
      maker.meta("alarm", "x", "y");
      await write(backend, maker, model);
      const { position } = backend;
      backend = await reopen(backend);
      assert.deepEqual(backend.position, position);
      assert.deepEqual(backend.durable, position);
      sameRows(backend.history({ revision: rev(0), sub: 0 }, 10_000, allBytes), model.versions);
      assert.deepEqual(backend.meta("alarm", undefined, 9).map(plain), model.metaRows("alarm"));
      assert.deepEqual(backend.keysOfLease(2n as LeaseId, undefined, 999), model.keysOfLease(2n as LeaseId));
      maker.put("after", "all").compactTo(500);
      await write(backend, maker, model);
      await backend.compact(rev(500));
      model.compact(500);
      backend = await reopen(backend);
      sameRows(backend.history({ revision: rev(0), sub: 0 }, 10_000, allBytes), model.versions);
      assert.equal(backend.position.compactedRevision, 500);
    } finally {
      await backend.close();
    }
  });
}
