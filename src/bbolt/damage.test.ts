import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "../lib/prng.ts";
import { checkFile } from "./check-file.ts";
import { BboltCorruptError } from "./corrupt-error.ts";
import { DatabaseFile } from "./database-file.ts";
import type { Row } from "./database-source.ts";
import { pageBytes, pageHeaderBytes, readMeta, writeMeta } from "./format.ts";
import { readBuckets, readLeaves } from "./read-rows.ts";
import { databaseBytes, diskWith, path, randomBuckets } from "./testing/random-database.ts";

interface Reading {
  readonly rows: number;
  readonly error: unknown;
  readonly reads: number;
}

/** Reads all that is in a file, and checks it. */
async function readAll(bytes: Uint8Array): Promise<Reading & { problems: readonly string[] }> {
  const disk = await diskWith(bytes);
  let reads = 0;
  disk.hook = (operation) => {
    if (operation.kind === "read") reads++;
    return undefined;
  };
  let rows = 0;
  let error: unknown;
  let problems: readonly string[] = [];
  try {
    const file = await DatabaseFile.open(disk, path);
    try {
      ({ problems } = await checkFile(file));
      for (const root of (await readBuckets(file)).values()) {
        for await (const leaf of readLeaves(file, root)) rows += leaf.rows.length;
      }
    } finally {
      await file.close();
    }
  } catch (caught) {
    error = caught;
  }
  return { rows, error, reads, problems };
}

/** One key bucket of three levels. Pages: 3.. leaves and branches, then the root of buckets. */
function threeLevels(): Uint8Array {
  const rows: Row[] = Array.from({ length: 12_000 }, (_, i) => {
    const key = new Uint8Array(17);
    new DataView(key.buffer).setUint32(4, i);
    return { key, value: new Uint8Array(40) };
  });
  return databaseBytes([{ name: "key", rows }]);
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** The first page with these flags, from the end if `last`. */
function pageWith(bytes: Uint8Array, flags: number, last = false): number {
  const pages = [...Array(bytes.length / pageBytes).keys()];
  if (last) pages.reverse();
  return pages.find((page) => viewOf(bytes).getUint16(page * pageBytes + 8, true) === flags)!;
}

const branchFlags = 1;

describe("a damaged database file", () => {
  for (let seed = 1; seed <= 40; seed++) {
    it(`gives an error or its rows, and an end (seed ${seed})`, async () => {
      const prng = new Prng(seed);
      const bytes = databaseBytes(randomBuckets(prng));
      const view = viewOf(bytes);
      for (let i = 0; i < 1 + prng.below(4); i++) {
        // Mostly where structure is: the first bytes of a page.
        const page = prng.below(bytes.length / pageBytes);
        const at = page * pageBytes + (prng.chance(0.7) ? prng.below(64) : prng.below(pageBytes - 4));
        if (prng.chance(0.5)) bytes[at]! ^= 1 << prng.below(8);
        else view.setUint32(at, prng.chance(0.5) ? prng.below(2 ** 32) : prng.below(40), true);
      }
      const { error, reads } = await readAll(bytes);
      assert.ok(
        error === undefined || error instanceof BboltCorruptError,
        `seed ${seed}: ${error instanceof Error ? error.stack : error}`,
      );
      assert.ok(reads < 100_000, `seed ${seed}: ${reads} reads`);
    });
  }

  it("is told by its magic number", async () => {
    const { error } = await readAll(new Uint8Array(20_000).fill(7));
    assert.match(String(error), /invalid database: the magic number is missing/);
  });

  it("is told when it is empty", async () => {
    const { error } = await readAll(new Uint8Array(0));
    assert.match(String(error), /invalid database: the file is too short/);
  });

  it("is read by its other meta page when one is damaged", async () => {
    const whole = await readAll(threeLevels());
    assert.equal(whole.error, undefined);
    for (const page of [0, 1]) {
      const bytes = threeLevels();
      bytes[page * pageBytes + pageHeaderBytes + 40]! ^= 1;
      const { rows, error } = await readAll(bytes);
      assert.equal(error, undefined, `meta ${page}`);
      assert.equal(rows, whole.rows);
    }
  });

  it("is read by the newer of its meta pages", async () => {
    const bytes = threeLevels();
    const view = viewOf(bytes);
    for (const page of [0, 1]) {
      const at = page * pageBytes + pageHeaderBytes;
      const meta = readMeta(view, at);
      assert.ok(!("error" in meta));
      assert.equal(meta.txid, 2n - BigInt(page));
      // The older one leads nowhere.
      if (page === 1) writeMeta(view, at, { ...meta, rootPage: 2 });
    }
    assert.equal((await readAll(bytes)).error, undefined);
  });

  it("is refused when it is cut off", async () => {
    const bytes = threeLevels();
    const { error } = await readAll(bytes.subarray(0, bytes.length - 1));
    assert.match(String(error), /the file is cut off/);
  });

  it("may be followed by a checksum", async () => {
    const bytes = threeLevels();
    const longer = new Uint8Array(bytes.length + 32);
    longer.set(bytes);
    const { error, rows } = await readAll(longer);
    assert.equal(error, undefined);
    assert.equal(rows, 12_000);
  });

  it("does not lead round in a circle", async () => {
    const bytes = threeLevels();
    const top = pageWith(bytes, branchFlags, true);
    // The top branch's last child is the top branch.
    const count = viewOf(bytes).getUint16(top * pageBytes + 10, true);
    const element = top * pageBytes + pageHeaderBytes + (count - 1) * 16;
    viewOf(bytes).setBigUint64(element + 8, BigInt(top), true);
    const { error, problems } = await readAll(bytes);
    assert.ok(error instanceof BboltCorruptError);
    assert.ok(problems.some((text) => text.includes(`page ${top}: multiple references`)));
  });

  it("names the page that is wrong", async () => {
    const bytes = threeLevels();
    viewOf(bytes).setUint32(5 * pageBytes, 77, true);
    const { error, problems } = await readAll(bytes);
    assert.ok(error instanceof BboltCorruptError);
    assert.equal(error.page, 5);
    assert.match(error.message, /\/snapshot\.db: page 5: says that it is page 77/);
    assert.deepEqual(problems, [error.message]);
  });

  it("is found out by the check when a page belongs to nobody, or is free and used", async () => {
    const bytes = threeLevels();
    const view = viewOf(bytes);
    // The list of free pages now has a leaf in it, twice.
    view.setUint16(2 * pageBytes + 10, 2, true);
    for (const i of [0, 1]) view.setBigUint64(2 * pageBytes + pageHeaderBytes + i * 8, 4n, true);
    const { problems } = await readAll(bytes);
    assert.ok(problems.includes("page 4: already freed"));
    assert.ok(problems.includes("page 4: reachable freed"));
  });

  it("is found out by the check when a branch has a wrong key", async () => {
    const bytes = threeLevels();
    const page = pageWith(bytes, branchFlags);
    const view = viewOf(bytes);
    const element = page * pageBytes + pageHeaderBytes + 16;
    const key = element + view.getUint32(element, true);
    view.setUint32(key + 4, view.getUint32(key + 4) + 1);
    const { problems, error } = await readAll(bytes);
    // All rows are there in order, but a search for one would miss it.
    assert.equal(error, undefined);
    assert.ok(
      problems.some((text) => text.includes("the first key is before the key that its branch has for it")),
    );
  });
});
