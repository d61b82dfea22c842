/** Damage to the files is noticed, named and never served. */
import assert from "node:assert/strict";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Revision } from "../../lib/ids.ts";
import { Prng } from "../../lib/prng.ts";
import type { SqliteDriver } from "../../runtime/sqlite.ts";
import { BackendCorruptError, BackendIoError } from "../errors.ts";
import { compareCounts, compareWith, type Expected, expectedOf } from "../testing/compare.ts";
import { HistoryMaker } from "../testing/history-maker.ts";
import { KnownHistory } from "../testing/known-history.ts";
import { openLocally } from "../testing/local-client.ts";
import { checkStore } from "./check.ts";
import { fileName } from "./schema.ts";
import type { SqliteBackend } from "./sqlite-backend.ts";

const pageSize = 4096;
const runs = Number(process.env["ETCLITE_TEST_DAMAGES"] ?? 60);
const seed = Number(process.env["ETCLITE_TEST_SEED"] ?? 1);
const history = { seed: 7, keys: 200, transactionsMax: 40, compactions: 0 };

const folder = mkdtempSync(join(tmpdir(), "etclite-damage-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A copy of a store, to be damaged. */
function copyOf(store: string, withWal: boolean): string {
  const dir = mkdtempSync(join(folder, "copy-"));
  copyFileSync(join(store, fileName), join(dir, fileName));
  if (withWal) copyFileSync(join(store, `${fileName}-wal`), join(dir, `${fileName}-wal`));
  return dir;
}

function flip(file: string, offset: number, bit: number): void {
  const bytes = readFileSync(file);
  bytes[offset]! ^= 1 << bit;
  writeFileSync(file, bytes);
}

/** Opens and reads everything. Returns the error that named the damage, or undefined if everything was right. */
async function readAll(
  dir: string,
  expected: (store: SqliteBackend) => Expected,
): Promise<Error | undefined> {
  let store: SqliteBackend | undefined;
  try {
    store = await openLocally(dir, { pageSize });
    compareWith(store, expected(store));
    return undefined;
  } catch (error) {
    if (!(error instanceof BackendCorruptError || error instanceof BackendIoError)) throw error;
    assert.ok(error.message.includes(join(dir, fileName)), error.message);
    return error;
  } finally {
    await store?.close().catch(() => undefined);
  }
}

/**
 * What neither a row's checksum nor SQLite covers: how many rows a page has, and which pages are below an inner page.
 * Only `checkStore` finds damage there; DESIGN.md says how likely it is.
 */
function uncovered(bytes: Buffer): Set<number> {
  const offsets = new Set<number>();
  for (let page = 0; page < bytes.length; page += pageSize) {
    const header = page + (page === 0 ? 100 : 0);
    const kind = bytes[header]!;
    if (![2, 5, 10, 13].includes(kind)) continue;
    for (const i of [3, 4]) offsets.add(header + i);
    if (kind === 10 || kind === 13) continue;
    for (const i of [8, 9, 10, 11]) offsets.add(header + i);
    const cells = bytes.readUInt16BE(header + 3);
    for (let cell = 0; cell < cells; cell++) {
      const at = page + bytes.readUInt16BE(header + 12 + cell * 2);
      for (const i of [0, 1, 2, 3]) offsets.add(at + i);
    }
  }
  return offsets;
}

describe("damage to a closed store", () => {
  const dir = join(folder, "closed");
  const made = new KnownHistory(history);
  let expected: Expected;

  before(async () => {
    mkdirSync(dir);
    const store = await openLocally(dir, { pageSize });
    for (let i = 0; i < 40; i++) await store.write(made.next());
    expected = expectedOf(new KnownHistory(history).modelAt(made.appliedIndex)!);
    compareWith(store, expected);
    compareCounts(store, expected);
    await store.close();
    assert.deepEqual((await checkStore(dir)).problems, []);
  });

  it(`is found wherever a bit flips (seed ${seed})`, async () => {
    const random = new Prng(seed);
    const good = readFileSync(join(dir, fileName));
    const excluded = uncovered(good);
    let found = 0;
    for (let run = 0; run < runs; run++) {
      const copy = copyOf(dir, false);
      let offset = random.below(good.length);
      while (excluded.has(offset)) offset = random.below(good.length);
      const bit = random.below(8);
      flip(join(copy, fileName), offset, bit);
      try {
        if (await readAll(copy, () => expected)) found++;
      } catch (error) {
        throw new Error(`seed ${seed}, run ${run}: bit ${bit} at ${offset} of ${good.length}`, {
          cause: error,
        });
      }
      rmSync(copy, { recursive: true });
    }
    // The rest hits bytes that are not in use.
    assert.ok(found > runs / 2, `${found} of ${runs} were found`);
  });

  it("is found by the checker where it is found by a reader", async () => {
    const random = new Prng(seed + 1);
    const good = readFileSync(join(dir, fileName));
    for (let run = 0; run < 25; run++) {
      const copy = copyOf(dir, false);
      const offset = random.below(good.length);
      flip(join(copy, fileName), offset, random.below(8));
      const damaged = copyOf(copy, false);
      const { problems } = await checkStore(damaged);
      const error = await readAll(copy, () => expected).catch((wrong: Error) => wrong);
      if (error) assert.ok(problems.length > 0, `a flip at ${offset}: ${error.message}`);
    }
  });

  it("is found when the file is cut off", async () => {
    const length = readFileSync(join(dir, fileName)).length;
    for (const left of [1, 100, pageSize, 5000, length >> 1, length - 5000, length - 1]) {
      const copy = copyOf(dir, false);
      truncateSync(join(copy, fileName), left);
      const error = await readAll(copy, () => expected);
      assert.ok(error, `cut to ${left}`);
    }
  });

  it("refuses what is not a store of this format", async () => {
    const copy = copyOf(dir, false);
    writeFileSync(join(copy, fileName), "not a database, but long enough to be one ".repeat(100));
    await assert.rejects(openLocally(copy), (error: Error) => {
      return error instanceof BackendCorruptError && /not a database/.test(error.message);
    });
    const foreign = copyOf(dir, false);
    // The numbers in SQLite's header: user_version and application_id.
    flip(join(foreign, fileName), 71, 0);
    await assert.rejects(openLocally(foreign), /belongs to another program/);
    const newer = copyOf(dir, false);
    flip(join(newer, fileName), 63, 1);
    await assert.rejects(openLocally(newer), /format 3; this program reads format 1/);
  });
});

describe("damage to the -wal file of a store that was not closed", () => {
  const dir = join(folder, "open");
  const written: number[] = [];
  const known = new Map<number, Expected>();
  const expectedAt = ({ position: { appliedIndex } }: SqliteBackend): Expected => {
    const model = new KnownHistory(history).modelAt(appliedIndex);
    assert.ok(model, `a store between two generations: ${appliedIndex}`);
    const expected = known.get(appliedIndex) ?? expectedOf(model);
    known.set(appliedIndex, expected);
    return expected;
  };
  let store: SqliteBackend;

  before(async () => {
    mkdirSync(dir);
    store = await openLocally(dir, { pageSize, walBytesMax: 1e9 });
    const made = new KnownHistory(history);
    for (let i = 0; i < 25; i++) {
      await store.write(made.next());
      written.push(made.appliedIndex);
    }
  });
  after(() => store.close());

  it("loses nothing when it is whole", async () => {
    const copy = copyOf(dir, true);
    const again = await openLocally(copy);
    assert.equal(again.position.appliedIndex, written.at(-1));
    compareWith(again, expectedAt(again));
    await again.close();
    assert.deepEqual((await checkStore(copy)).problems, []);
  });

  it(`leaves whole generations where it is cut off or flipped (seed ${seed})`, async () => {
    const random = new Prng(seed);
    const length = readFileSync(join(dir, `${fileName}-wal`)).length;
    const positions = new Set<number>();
    for (let run = 0; run < 30; run++) {
      const copy = copyOf(dir, true);
      const wal = join(copy, `${fileName}-wal`);
      const offset = random.below(length);
      if (run % 2 === 0) truncateSync(wal, offset);
      else flip(wal, offset, random.below(8));
      try {
        const error = await readAll(copy, (opened) => {
          positions.add(opened.position.appliedIndex);
          return expectedAt(opened);
        });
        assert.equal(error, undefined);
      } catch (error) {
        throw new Error(`seed ${seed}, run ${run}: offset ${offset} of ${length}`, { cause: error });
      }
    }
    assert.ok(positions.size > 5, "always the same generation");
  });
});

describe("a full disk", () => {
  it("fails the write, says so, and keeps what was there", async () => {
    const dir = join(folder, "full");
    mkdirSync(dir);
    const store = await openLocally(dir, { pageSize, pagesMax: 60 });
    const made = new KnownHistory(history);
    let failed: unknown;
    let applied = 0;
    for (let i = 0; i < 100 && !failed; i++) {
      const generation = made.next();
      await store.write(generation).then(
        () => {
          applied = generation.appliedIndex;
        },
        (error: unknown) => {
          failed = error;
        },
      );
    }
    assert.ok(failed instanceof BackendIoError && failed.diskFull, String(failed));
    assert.match(failed.message, /no space left/);
    assert.ok(applied > 0);
    await assert.rejects(store.write(made.next()), /no space left/);
    await assert.rejects(store.sync(), /no space left/);
    const expected = expectedOf(new KnownHistory(history).modelAt(applied)!);
    assert.equal(store.position.revision, expected.revision);
    compareWith(store, expected);
    await store.close();
    const again = await openLocally(dir);
    compareWith(again, expected);
    await again.close();
    assert.deepEqual((await checkStore(dir)).problems, []);
  });

  it("fails a defragmentation, which changes nothing, and nothing else", async () => {
    const dir = join(folder, "full-vacuum");
    mkdirSync(dir);
    let isFull = true;
    const store = await openLocally(dir, { pageSize }, (driver) => failingVacuums(driver, () => isFull));
    const maker = new HistoryMaker();
    for (let i = 0; i < 2000; i++) maker.put(`k${i % 100}`, "value ".repeat(50));
    await store.write(maker.generation());
    maker.compactTo(maker.revision);
    await store.write(maker.generation());
    await store.compact(maker.revision as Revision);
    const before = store.sizes();
    assert.ok(before.inUseBytes < before.totalBytes / 2);
    await assert.rejects(store.defragment(), (error) => error instanceof BackendIoError && error.diskFull);
    assert.deepEqual(store.sizes(), before);
    await store.write(maker.put("after").generation());
    isFull = false;
    await store.defragment();
    const { totalBytes, inUseBytes } = store.sizes();
    assert.equal(totalBytes, inUseBytes);
    assert.equal(store.position.revision, maker.revision);
    await store.close();
    assert.deepEqual((await checkStore(dir)).problems, []);
  });
});

/** Where incremental vacuums find the disk full while `isFull` says so. */
function failingVacuums(driver: SqliteDriver, isFull: () => boolean): SqliteDriver {
  return {
    name: driver.name,
    open: (file, options) => {
      const db = driver.open(file, options);
      return {
        prepare: (sql) => db.prepare(sql),
        close: () => db.close(),
        exec: (sql) => {
          if (isFull() && /^PRAGMA incremental_vacuum\(/.test(sql)) {
            throw Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL", errno: 13 });
          }
          db.exec(sql);
        },
      };
    },
  };
}
