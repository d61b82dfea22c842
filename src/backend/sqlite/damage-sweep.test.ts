/** A few bytes of what `npm run crash -- --only sweep` does with all: each change is reported, and never served. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Prng } from "../../lib/prng.ts";
import { objectionTo, type SweptStore, someChange, storeToSweep, tryByte } from "../testing/damage-sweep.ts";
import { ByteUse } from "../testing/used-bytes.ts";

const seed = Number(process.env["ETCLITE_TEST_SEED"] ?? 1);
const trials = Number(process.env["ETCLITE_TEST_DAMAGES"] ?? 40);
const folder = mkdtempSync(join(tmpdir(), "etclite-sweep-"));
after(() => rmSync(folder, { recursive: true, force: true }));

describe("a changed byte of a store", () => {
  let store: SweptStore;
  before(async () => {
    const dir = join(folder, "store");
    mkdirSync(dir);
    store = await storeToSweep(dir, seed);
  });

  const sweep = async (offsets: readonly number[], changes: Prng) => {
    const objections: string[] = [];
    for (const offset of offsets) {
      const objection = objectionTo(await tryByte(join(folder, "copy"), store, offset, someChange(changes)));
      if (objection) objections.push(objection);
    }
    assert.deepEqual(objections, [], `seed ${seed}`);
  };

  it(`is reported if it is used, and never served (seed ${seed})`, { timeout: 120_000 }, async () => {
    const random = new Prng(seed);
    const used = [...store.used.keys()].filter((offset) => store.used[offset] !== ByteUse.none);
    assert.ok(used.length > store.bytes.length / 4, `${used.length} bytes of ${store.bytes.length} are used`);
    await sweep(
      Array.from({ length: trials }, () => random.pick(used)),
      random,
    );
  });

  it(`is reported in the file's header too (seed ${seed})`, { timeout: 120_000 }, async () => {
    const random = new Prng(seed);
    // What SQLite writes there and does not look at, or only now and then.
    await sweep([18, 19, 25, 45, 47, 50, 59, 67, 72, 91, 92, 95], random);
  });

  it("is reported in the name of a table, which SQLite takes for the same in capitals", async () => {
    const names = store.bytes.indexOf("statestate");
    const toUpperCase = 32;
    for (const offset of [names, names + 9]) {
      const objection = objectionTo(await tryByte(join(folder, "copy"), store, offset, toUpperCase));
      assert.equal(objection, undefined);
    }
  });

  it("is noticed by the order of the keys when an inner page leads to the same page twice", async () => {
    let changed = 0;
    for (const [offset, change] of doubledPages(store)) {
      changed++;
      const { reported, read } = await tryByte(join(folder, "copy"), store, offset, change);
      assert.ok(reported, `byte ${offset}`);
      assert.equal(typeof read, "string", `byte ${offset}, changed by ${change}: ${JSON.stringify(read)}`);
    }
    assert.ok(changed > 3, `${changed} pages`);
  });

  it(`does no harm where nothing is (seed ${seed})`, { timeout: 120_000 }, async () => {
    const random = new Prng(seed);
    const unused = [...store.used.keys()].filter((offset) => store.used[offset] === ByteUse.none);
    for (let i = 0; i < trials / 4; i++) {
      const trial = await tryByte(join(folder, "copy"), store, random.pick(unused), someChange(random));
      const { offset, reported, read, counted } = trial;
      assert.deepEqual([reported, read, counted], [false, "right", "right"], `byte ${offset}, seed ${seed}`);
    }
  });
});

/** Changes that make the number of a page in an inner page of an index that of the page after it. */
function* doubledPages({ bytes, used }: SweptStore): Generator<readonly [offset: number, change: number]> {
  const pageSize = bytes.readUInt16BE(16);
  for (let page = pageSize; page < bytes.length; page += pageSize) {
    if (used[page] === ByteUse.none || bytes[page] !== innerIndexPage) continue;
    const cells = bytes.readUInt16BE(page + 3);
    const cellAt = (i: number) => page + bytes.readUInt16BE(page + 12 + 2 * i);
    for (let i = 0; i + 1 < cells; i++) {
      const change = (bytes.readUInt32BE(cellAt(i)) ^ bytes.readUInt32BE(cellAt(i + 1))) >>> 0;
      if (change < 256) yield [cellAt(i) + 3, change];
    }
  }
}

/** What SQLite writes first into an inner page of an index, or of a table without row numbers. */
const innerIndexPage = 2;
