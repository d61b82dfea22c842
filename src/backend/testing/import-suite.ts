/** What every backend has to do with the versions that another store has kept: those of a restored snapshot. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LeaseId, RaftIndex } from "../../lib/ids.ts";
import { Prng } from "../../lib/prng.ts";
import type { Backend, Generation } from "../backend.ts";
import { type ContractSubject, countAll, everything, plain, rev } from "./contract-subject.ts";
import { HistoryMaker } from "./history-maker.ts";
import { NaiveModel } from "./naive-model.ts";

const seeds = [1, 2, 3, 4, 5];
const rowsMax = 10_000;
const bytesMax = Number.POSITIVE_INFINITY;

/** A history of some keys, of which the versions before some revision are compacted away. */
function compactedHistory(random: Prng): { maker: HistoryMaker; model: NaiveModel } {
  const maker = new HistoryMaker();
  const model = new NaiveModel();
  change(maker, random, 400);
  maker.compactTo(2 + random.below(maker.revision - 1));
  model.write(maker.generation());
  model.compact(maker.compactRevision);
  return { maker, model };
}

function change(maker: HistoryMaker, random: Prng, times: number): void {
  for (let i = 0; i < times; i++) {
    const key = `key ${random.below(40)}`;
    if (random.chance(0.2)) maker.delete(key);
    else if (random.chance(0.3)) maker.transaction({ put: key, value: "x" }, { put: `${key}b`, value: "y" });
    else maker.put(key, `value ${i}`, random.chance(0.3) ? BigInt(1 + random.below(3)) : 0n);
  }
}

/** Hands a model's versions over in pieces, as they come out of a file. */
async function importAll(
  backend: Backend,
  model: NaiveModel,
  maker: HistoryMaker,
  random: Prng,
): Promise<void> {
  const { versions } = model;
  for (let at = 0; at < versions.length; ) {
    let end = Math.min(versions.length, at + 1 + random.below(60));
    // A revision is never cut in two.
    while (end < versions.length && versions[end]!.modRevision === versions[end - 1]!.modRevision) end++;
    const part = versions.slice(at, end);
    at = end;
    const isLast = at === versions.length;
    const generation: Generation = {
      versions: part,
      meta: [],
      appliedIndex: 1 as RaftIndex,
      appliedTerm: 1 as never,
      revision: isLast ? rev(maker.revision) : part.at(-1)!.modRevision,
      compactRevision: rev(isLast ? maker.compactRevision : 0),
      isImport: true,
      importGoesOn: !isLast,
    };
    await backend.write(generation);
  }
  await backend.sync();
}

function compare(backend: Backend, model: NaiveModel, maker: HistoryMaker, what: string): void {
  const history = backend.history({ revision: rev(0), sub: 0 }, rowsMax, bytesMax);
  assert.deepEqual(history.map(plain), model.versions, what);
  for (let at = maker.compactRevision; at <= maker.revision; at += 7) {
    const rows = backend.scan(everything, { atRevision: rev(at), limit: rowsMax });
    assert.deepEqual(rows.map(plain), model.scan(everything, at), `${what}, at revision ${at}`);
    assert.equal(countAll(backend, everything, at, 50), rows.length, `${what}, count at revision ${at}`);
    for (const row of rows) assert.deepEqual(plain(backend.versionAt(row.key, rev(at))), plain(row), what);
  }
  const live = model.scan(everything, maker.revision);
  for (const lease of [1n, 2n, 3n]) {
    const keys = live.filter((row) => row.lease === lease).map(({ key }) => key);
    assert.deepEqual(backend.keysOfLease(lease as LeaseId, undefined, rowsMax), keys, what);
  }
}

export function importSuite(subject: ContractSubject): void {
  describe(`backend with imported versions: ${subject.name}`, () => {
    for (const seed of seeds) {
      it(`goes on from there (seed ${seed})`, async () => {
        const random = new Prng(seed);
        const { maker, model } = compactedHistory(random);
        const backend = await subject.open();
        try {
          await importAll(backend, model, maker, random);
          compare(backend, model, maker, `seed ${seed}: imported`);

          change(maker, random, 100);
          maker.appliedIndex = Math.max(maker.appliedIndex, 2);
          const next = maker.generation();
          model.write(next);
          await backend.write(next);
          compare(backend, model, maker, `seed ${seed}: written to`);

          maker.compactTo(maker.revision - random.below(50));
          const compacted = maker.generation();
          model.write(compacted);
          await backend.write(compacted);
          model.compact(maker.compactRevision);
          await backend.compact(rev(maker.compactRevision));
          compare(backend, model, maker, `seed ${seed}: compacted`);
        } finally {
          await backend.close();
        }
        await subject.inspect?.(backend);
      });
    }

    it("does not take versions out of nowhere from anybody else", async () => {
      const { maker, model } = compactedHistory(new Prng(1));
      const orphan = model.versions.find(({ version }) => version > 1)!;
      const backend = await subject.open();
      if (subject.reopen === undefined) return; // memory takes what it is given
      const position = { appliedIndex: 1 as RaftIndex, appliedTerm: 1 as never, compactRevision: rev(0) };
      const generation = { versions: [orphan], meta: [], revision: rev(maker.revision), ...position };
      await assert.rejects(backend.write(generation));
      await backend.close();
    });
  });
}
