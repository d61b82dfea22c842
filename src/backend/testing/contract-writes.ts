/** The part of the contract that is about writing, compacting and closing. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { LeaseId } from "../../lib/ids.ts";
import type { Backend } from "../backend.ts";
import {
  allBytes,
  type ContractSubject,
  countAll,
  everything,
  fill,
  plain,
  rev,
  sameRows,
  withStore,
  write,
} from "./contract-subject.ts";
import { HistoryMaker } from "./history-maker.ts";
import { NaiveModel } from "./naive-model.ts";

export function writeContract(subject: ContractSubject): void {
  compaction(subject);
  writing(subject);
  if (subject.reopen) survival(subject, subject.reopen);
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

  it("rests between batches", () =>
    withStore(subject, async (backend) => {
      const { model, maker } = await fill(backend);
      maker.compactTo(maker.revision);
      await write(backend, maker, model);
      const { length } = model.versions;
      let rests = 0;
      const rest = async () => {
        assert.equal(backend.position.compactedRevision, 0);
        rests++;
      };
      const batchRows = 50;
      await backend.compact(rev(maker.revision), undefined, { batchRows, rest });
      // A backend may look at a few more rows in a batch, but not at all of them.
      assert.ok(rests > 0 && rests <= length / batchRows, `${rests} rests for ${length} rows`);
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
