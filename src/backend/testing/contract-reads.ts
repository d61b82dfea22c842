/** The part of the contract that is about reading. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { LeaseId } from "../../lib/ids.ts";
import type { Backend, BackendPosition, BinaryKey, KeySpan, Version } from "../backend.ts";
import {
  allBytes,
  type ContractSubject,
  countAll,
  everything,
  fill,
  plain,
  rev,
  sameRows,
  spans,
  withStore,
  write,
} from "./contract-subject.ts";
import { bytesOf, HistoryMaker } from "./history-maker.ts";
import { NaiveModel } from "./naive-model.ts";

export function readContract(subject: ContractSubject): void {
  emptyStore(subject);
  fields(subject);
  past(subject);
  scans(subject);
  counts(subject);
  histories(subject);
  leases(subject);
  metaRows(subject);
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

  it("keeps numbers far beyond 32 bits", () =>
    withStore(subject, async (backend) => {
      const maker = new HistoryMaker();
      const model = new NaiveModel();
      maker.put("before");
      maker.revision = 2 ** 45;
      maker.appliedIndex = 2 ** 46;
      for (let i = 0; i < 40; i++) maker.put(i % 3 ? "often" : "seldom", `value ${i}`);
      await write(backend, maker, model);
      for (const at of [2, 2 ** 33, 2 ** 45, 2 ** 45 + 7, 2 ** 45 + 40]) {
        sameRows(backend.scan(everything, { atRevision: rev(at), limit: 9 }), model.scan(everything, at));
        const place = { revision: rev(at), sub: 0 };
        sameRows(backend.history(place, 100, allBytes), model.history(place));
      }
      assert.equal(backend.position.revision, 2 ** 45 + 40);
      assert.equal(backend.position.appliedIndex, 2 ** 46 + 40);
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
