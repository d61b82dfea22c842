/** What the store relies on, for every SQLite driver that this runtime has. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { SqliteCode, type SqliteDriver, sqliteCodeOf, sqliteDriver, sqliteDriverNames } from "./sqlite.ts";

const folder = mkdtempSync(join(tmpdir(), "etclite-sqlite-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const drivers: SqliteDriver[] = [];
for (const name of sqliteDriverNames) {
  await sqliteDriver(name).then(
    (driver) => drivers.push(driver),
    () => undefined, // not on this runtime
  );
}

let files = 0;
const newFile = () => join(folder, `${++files}.db`);

function thrown(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

it("has the best driver of the runtime", async () => {
  const { name } = await sqliteDriver();
  assert.equal(name, "bun" in process.versions ? "bun:sqlite" : "node:sqlite");
  assert.ok(drivers.some((driver) => driver.name === name));
});

for (const driver of drivers) {
  describe(`sqlite driver ${driver.name}`, () => {
    it("keeps numbers, text, bytes and nothing", () => {
      const db = driver.open(newFile(), { readOnly: false });
      db.exec("CREATE TABLE t (i INTEGER PRIMARY KEY, n INTEGER, s TEXT, b BLOB)");
      const insert = db.prepare("INSERT INTO t VALUES (?, ?, ?, ?)");
      const bytes = Uint8Array.of(0, 255, 7);
      assert.equal(Number(insert.run(1, Number.MAX_SAFE_INTEGER, "é x", bytes).changes), 1);
      insert.run(2, -5, "", new Uint8Array(0));
      insert.run(3, null, null, null);
      // A view in the middle of a buffer.
      insert.run(4, 0, "", new Uint8Array(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2));
      const get = db.prepare<{ i: number; n: number; s: string; b: Uint8Array }>(
        "SELECT * FROM t WHERE i = +?",
      );
      const first = get.get(1)!;
      assert.deepEqual([first.i, first.n, first.s], [1, Number.MAX_SAFE_INTEGER, "é x"]);
      assert.ok(first.b instanceof Uint8Array);
      assert.deepEqual([...first.b], [0, 255, 7]);
      const second = get.get(2)!;
      assert.ok(second.b instanceof Uint8Array);
      assert.deepEqual([second.n, second.s, second.b.length], [-5, "", 0]);
      assert.deepEqual([get.get(3)!.n, get.get(3)!.s, get.get(3)!.b], [null, null, null]);
      assert.deepEqual([...get.get(4)!.b], [2, 3]);
      assert.equal(get.get(5) ?? undefined, undefined);
      assert.equal(db.prepare("SELECT * FROM t").all().length, 4);
      assert.equal(db.prepare("PRAGMA wal_autocheckpoint = 0").all().length <= 1, true);
      db.close();
    });

    it("ends a statement whose loop is broken off", () => {
      const file = newFile();
      const writer = driver.open(file, { readOnly: false });
      writer.prepare("PRAGMA journal_mode = WAL").get();
      writer.prepare("PRAGMA wal_autocheckpoint = 0").get();
      writer.exec("CREATE TABLE t (i INTEGER PRIMARY KEY)");
      writer.prepare("PRAGMA synchronous = OFF").get();
      for (let i = 0; i < 100; i++) writer.exec(`INSERT INTO t VALUES (${i})`);
      const reader = driver.open(file, { readOnly: true });
      const select = reader.prepare<{ i: number }>("SELECT i FROM t ORDER BY i");
      for (const { i } of select.iterate()) if (i === 3) break;
      const before = reader.prepare<{ n: number }>("SELECT count(*) AS n FROM t");
      writer.exec("INSERT INTO t VALUES (1000)");
      // A reader that had not ended would still see the old state, and would hold up a checkpoint.
      assert.equal(before.get()!.n, 101);
      const checkpoint = writer.prepare<{ busy: number }>("PRAGMA wal_checkpoint(TRUNCATE)").get();
      assert.equal(checkpoint!.busy, 0);
      assert.deepEqual([...select.iterate()].length, 101);
      reader.close();
      writer.close();
    });

    it("throws SQLite's errors with their codes, also in the middle of a loop", () => {
      const file = newFile();
      const db = driver.open(file, { readOnly: false });
      db.prepare("PRAGMA page_size = 512").get();
      db.prepare("PRAGMA synchronous = OFF").get();
      db.exec("CREATE TABLE t (i INTEGER PRIMARY KEY, b BLOB)");
      const insert = db.prepare("INSERT INTO t VALUES (?, ?)");
      for (let i = 0; i < 500; i++) insert.run(i, new Uint8Array(100).fill(i));
      db.prepare("PRAGMA max_page_count = 1").get();
      const full = thrown(() => {
        for (let i = 500; i < 1000; i++) insert.run(i, new Uint8Array(100));
      });
      assert.equal(sqliteCodeOf(full), SqliteCode.full);
      db.close();

      const bytes = readFileSync(file);
      bytes.fill(0xff, 40 * 512, 60 * 512);
      writeFileSync(file, bytes);
      const damaged = driver.open(file, { readOnly: false });
      let rows = 0;
      const corrupt = thrown(() => {
        for (const _ of damaged.prepare("SELECT * FROM t").iterate()) rows++;
      });
      assert.equal(sqliteCodeOf(corrupt), SqliteCode.corrupt, `${rows} rows and no error`);
      damaged.close();

      const other = newFile();
      writeFileSync(other, "not a database ".repeat(100));
      const foreign = driver.open(other, { readOnly: false });
      assert.equal(
        sqliteCodeOf(thrown(() => foreign.prepare("SELECT * FROM t").all())),
        SqliteCode.notADatabase,
      );
      foreign.close();
      assert.ok(
        thrown(() => driver.open(join(folder, "none", "x.db"), { readOnly: true }).prepare("SELECT 1")),
      );
      assert.equal(sqliteCodeOf(new Error("of something else")), undefined);
      assert.equal(sqliteCodeOf("a string"), undefined);
    });
  });
}
