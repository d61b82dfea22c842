/** Ranges of which most keys are dead: right at every revision, without a look at each key, and damage is noticed. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Revision } from "../../lib/ids.ts";
import { Prng } from "../../lib/prng.ts";
import type { SqliteDriver, SqliteStatement } from "../../runtime/sqlite.ts";
import { sqliteDriver } from "../../runtime/sqlite.ts";
import type { KeySpan, ScanPartOptions } from "../backend.ts";
import { BackendCorruptError } from "../errors.ts";
import { countAll, everything, rev } from "../testing/contract-subject.ts";
import { HistoryMaker } from "../testing/history-maker.ts";
import { openLocally } from "../testing/local-client.ts";
import { fileName } from "./schema.ts";
import type { SqliteBackend } from "./sqlite-backend.ts";

const seed = Number(process.env["ETCLITE_TEST_SEED"] ?? 1);
const folder = mkdtempSync(join(tmpdir(), "etclite-sparse-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const keyCount = 1600;
const name = (i: number) => `/registry/events/${String(i).padStart(5, "0")}`;

/** All of a span, a part at a time. */
function scanAll(store: SqliteBackend, span: KeySpan, options: ScanPartOptions): string[] {
  const lines: string[] = [];
  let rest: KeySpan | undefined = span;
  while (rest) {
    const part = store.scanPart(rest, options);
    for (const row of part.rows) {
      lines.push(`${row.key} ${row.modRevision} ${Buffer.from(row.value).toString("latin1")}`);
    }
    rest = part.rest;
  }
  return lines;
}

/** A driver that counts the rows that are fetched. */
function counting(driver: SqliteDriver, count: { rows: number }): SqliteDriver {
  const counted = <Row>(statement: SqliteStatement<Row>): SqliteStatement<Row> => ({
    get: (...parameters) => {
      const row = statement.get(...parameters);
      if (row) count.rows++;
      return row;
    },
    all: (...parameters) => {
      const rows = statement.all(...parameters);
      count.rows += rows.length;
      return rows;
    },
    *iterate(...parameters) {
      for (const row of statement.iterate(...parameters)) {
        count.rows++;
        yield row;
      }
    },
    run: (...parameters) => statement.run(...parameters),
  });
  return {
    name: driver.name,
    open: (file, options) => {
      const db = driver.open(file, options);
      return {
        exec: (sql) => db.exec(sql),
        prepare: <Row>(sql: string) => counted(db.prepare<Row>(sql)),
        close: () => db.close(),
      };
    },
  };
}

type Live = ReadonlyMap<string, string>;

describe("a range of which most keys are dead", () => {
  const dir = join(folder, "store");
  /** What lives at revisions before, between and after the deletions. */
  const states: { readonly at: Revision; readonly live: Live }[] = [];
  const fetched = { rows: 0 };
  let store: SqliteBackend;

  before(async () => {
    mkdirSync(dir);
    const random = new Prng(seed);
    const maker = new HistoryMaker();
    const live = new Map<string, string>();
    store = await openLocally(dir, {}, (driver) => counting(driver, fetched));
    const put = (key: string, value: string, lease: bigint) => {
      maker.put(key, value, lease);
      live.set(key, `${key} ${maker.revision} ${value}`);
    };
    const remove = (key: string) => {
      maker.delete(key);
      live.delete(key);
    };
    const note = () => states.push({ at: rev(maker.revision), live: new Map(live) });
    const write = async () => {
      await store.write(maker.generation());
      note();
    };
    for (let i = 0; i < keyCount; i++) put(name(i), `first ${i}`, i % 50 === 0 ? 3n : 0n);
    await write();
    // Runs of every length: of the first thousand nearly all go, then more and more stay.
    for (let i = 0; i < keyCount; i++) {
      if (!random.chance((i / keyCount) ** 2)) remove(name(i));
      if (i === 1000) note();
    }
    await write();
    for (let i = 0; i < 50; i++) put(name(500 + random.below(1000)), `second ${i}`, 0n);
    await write();
    for (let i = 700; i < keyCount; i++) if (random.chance(0.5)) remove(name(i));
    await write();
  });
  after(() => store.close());

  it(`is right at every revision, with every limit (seed ${seed})`, { timeout: 120_000 }, () => {
    const random = new Prng(seed);
    const spans: KeySpan[] = [
      everything,
      { from: name(100), to: name(1200) },
      { from: name(3), to: name(4) },
    ];
    for (let i = 0; i < 2; i++) {
      const [from, to] = [random.below(keyCount), random.below(keyCount + 100)].sort((a, b) => a - b);
      spans.push({ from: name(from!), to: name(to!) });
    }
    let turn = 0;
    const shapes = [{ limit: 256, visits: 2048 }, { limit: 7 }, { limit: 1e6, visits: 100, bytes: 300 }];
    for (const { at: atRevision, live } of states) {
      for (const span of spans) {
        const expected = [...live].filter(([key]) => key >= span.from && (!span.to || key < span.to)).sort();
        const lines = expected.map(([, line]) => line);
        const shape = shapes[turn++ % shapes.length]!;
        const what = `${JSON.stringify(span)} at ${atRevision}, ${JSON.stringify(shape)}, seed ${seed}`;
        same(scanAll(store, span, { atRevision, ...shape }), lines, what);
        same(scanAll(store, span, { atRevision, ...shape, keysOnly: true }), keysOf(lines), what);
        const backwards = scanAll(store, span, { atRevision, ...shape, descending: true });
        same(backwards.reverse(), lines, what);
        assert.equal(countAll(store, span, atRevision, 500), lines.length, JSON.stringify(span));
      }
    }
  });

  it("does not fetch the rows of the dead", () => {
    const span = { from: name(0), to: name(1000) };
    const { at: atRevision } = states.at(-1)!;
    for (const keysOnly of [false, true]) {
      fetched.rows = 0;
      const part = store.scanPart(span, { atRevision, limit: 256, visits: 2048, keysOnly });
      assert.equal(part.rest, undefined);
      // To those that live come the first of the dead, and what is read about each stretch.
      const most = part.rows.length + 100;
      assert.ok(fetched.rows < most, `${fetched.rows} rows fetched for ${part.rows.length} of 1000 keys`);
    }
  });

  it("does not leave out what is dead by damage", async () => {
    const { at: atRevision, live } = states.at(-1)!;
    // The first that lives after the first run.
    const first = [...live.keys()].sort().find((key) => key > name(450))!;
    assert.ok(first < name(keyCount - 1), first);
    const dead = name(460);
    const damages = [
      { key: first, sql: "version = 0", at: atRevision },
      // It lived at the first of the revisions.
      { key: dead, sql: "main = 1", at: states[0]!.at },
      { key: dead, sql: "seq = 1", at: states[0]!.at },
    ];
    await store.sync();
    await store.close();
    for (const [i, { key, sql, at }] of damages.entries()) {
      const copy = join(folder, `damaged-${i}`);
      mkdirSync(copy);
      copyFileSync(join(dir, fileName), join(copy, fileName));
      const db = (await sqliteDriver()).open(join(copy, fileName), { readOnly: false });
      db.exec(`UPDATE cur SET ${sql} WHERE key = CAST('${key}' AS BLOB)`);
      db.close();
      const damaged = await openLocally(copy);
      assert.throws(
        () => scanAll(damaged, everything, { atRevision: at, limit: 256, visits: 2048 }),
        (error) => error instanceof BackendCorruptError && error.message.includes(key),
        sql,
      );
      await damaged.close();
    }
    store = await openLocally(dir);
  });
});

const same = (actual: readonly string[], expected: readonly string[], what: string) =>
  assert.equal(actual.join("\n"), expected.join("\n"), what);

const keysOf = (lines: readonly string[]) => lines.map((line) => line.replace(/^(\S+ \S+ ).*/, "$1"));
