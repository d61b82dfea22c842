import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AssertionError } from "../lib/assert.ts";
import { Prng } from "../lib/prng.ts";
import { finish } from "../lib/steps.ts";
import { checkFile } from "./check-file.ts";
import { chunkBytes } from "./chunk-writer.ts";
import { DatabaseFile } from "./database-file.ts";
import { bucketOf, type Row } from "./database-source.ts";
import { elementBytes, pageBytes, pageHeaderBytes } from "./format.ts";
import { planDatabase } from "./plan-database.ts";
import { readBuckets, readLeaves } from "./read-rows.ts";
import {
  databaseBytes,
  diskWith,
  path,
  randomBuckets,
  sourcesOf,
  type TestBucket,
} from "./testing/random-database.ts";
import { writeDatabase } from "./write-database.ts";

async function contentsOf(file: DatabaseFile): Promise<TestBucket[]> {
  const contents: TestBucket[] = [];
  for (const [name, root] of await readBuckets(file)) {
    const rows: Row[] = [];
    for await (const leaf of readLeaves(file, root)) {
      for (const { key, value } of leaf.rows) rows.push({ key, value });
    }
    contents.push({ name, rows });
  }
  return contents;
}

/** Pages of branches and how many children each has. */
async function branches(file: DatabaseFile): Promise<number[]> {
  const found: number[] = [];
  for (let id = 3; id < file.meta.pageCount; ) {
    const node = await file.node(id);
    if (!node.isLeaf) found.push(node.count);
    id += 1 + node.overflow;
  }
  return found;
}

describe("a database file", () => {
  for (let seed = 1; seed <= 25; seed++) {
    it(`gives back what was written (seed ${seed})`, async () => {
      const buckets = randomBuckets(new Prng(seed));
      const disk = await diskWith(databaseBytes(buckets));
      const file = await DatabaseFile.open(disk, path);
      assert.deepEqual(await contentsOf(file), buckets, `seed ${seed}`);
      assert.deepEqual(await checkFile(file), { problems: [], count: 0 }, `seed ${seed}`);
      // bbolt panics when it deletes from a branch of one child.
      for (const count of await branches(file)) assert.ok(count >= 2, `seed ${seed}: ${count} children`);
    });
  }

  it("comes in chunks of one size", () => {
    const rows = manyRows(20_000);
    const sources = [bucketOf("key", rows)];
    const plan = finish(planDatabase(sources));
    const sizes = [...writeDatabase(sources, plan)].flatMap((chunk) => (chunk ? [chunk.length] : []));
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      plan.bytes,
    );
    assert.ok(sizes.length > 10);
    assert.deepEqual(new Set(sizes.slice(0, -1)), new Set([chunkBytes]));
    assert.equal(plan.bytes % pageBytes, 0);
  });

  it("fills its pages", async () => {
    const rows = manyRows(20_000);
    const disk = await diskWith(databaseBytes([{ name: "key", rows }]));
    const file = await DatabaseFile.open(disk, path);
    const perPage = Math.floor((pageBytes - pageHeaderBytes) / (elementBytes + 17 + 20));
    const leaves = Math.ceil(rows.length / perPage);
    const perBranch = Math.floor((pageBytes - pageHeaderBytes) / (elementBytes + 17));
    const level1 = Math.ceil(leaves / perBranch);
    assert.equal(file.meta.pageCount, 3 + leaves + level1 + 1 + 1);
  });

  it("has a lone last page share its neighbour's children", async () => {
    const perPage = Math.floor((pageBytes - pageHeaderBytes) / (elementBytes + 17 + 20));
    const perBranch = Math.floor((pageBytes - pageHeaderBytes) / (elementBytes + 17));
    for (const extra of [0, 1, 2, 3]) {
      const rows = manyRows(perPage * (perBranch + extra));
      const disk = await diskWith(databaseBytes([{ name: "key", rows }]));
      const found = await branches(await DatabaseFile.open(disk, path));
      const expected = {
        0: [perBranch],
        1: [perBranch - 1, 2, 2],
        2: [perBranch, 2, 2],
        3: [perBranch, 3, 2],
      };
      assert.deepEqual(found, expected[extra as 0 | 1 | 2 | 3], `${extra} pages more than one branch holds`);
    }
  });

  it("is not finished when the rows changed between the passes", () => {
    const before = [bucketOf("key", manyRows(500))];
    const after = [bucketOf("key", manyRows(700))];
    const plan = finish(planDatabase(before));
    assert.throws(() => [...writeDatabase(after, plan)], AssertionError);
  });

  it("refuses rows that are not in order", () => {
    const rows = manyRows(3);
    const sources = [bucketOf("key", [rows[0]!, rows[2]!, rows[1]!])];
    const plan = finish(planDatabase(sources));
    assert.throws(() => [...writeDatabase(sources, plan)], /not in order/);
  });

  it("refuses an empty key", () => {
    const sources = sourcesOf([
      { name: "key", rows: [{ key: new Uint8Array(0), value: new Uint8Array(1) }] },
    ]);
    assert.throws(() => finish(planDatabase(sources)), /a key of 0 bytes/);
  });
});

function manyRows(count: number): Row[] {
  return Array.from({ length: count }, (_, i) => {
    const key = new Uint8Array(17);
    new DataView(key.buffer).setUint32(4, i);
    return { key, value: new Uint8Array(20).fill(i) };
  });
}
