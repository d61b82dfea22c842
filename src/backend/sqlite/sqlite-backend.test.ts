import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, it } from "node:test";
import type { Revision } from "../../lib/ids.ts";
import {
  type SqliteDatabase,
  type SqliteDriverName,
  sqliteDriver,
  sqliteDriverNames,
} from "../../runtime/sqlite.ts";
import { BackendCorruptError, BackendIoError } from "../errors.ts";
import { contractSuite } from "../testing/contract-suite.ts";
import { HistoryMaker } from "../testing/history-maker.ts";
import { importSuite } from "../testing/import-suite.ts";
import { openLocally } from "../testing/local-client.ts";
import { propertySuite } from "../testing/property-suite.ts";
import { checkStore } from "./check.ts";
import { fileName } from "./schema.ts";
import { openSqliteBackend, SqliteBackend } from "./sqlite-backend.ts";

const folder = mkdtempSync(join(tmpdir(), "etclite-backend-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The drivers that this runtime has. */
const drivers: SqliteDriverName[] = [];
for (const name of sqliteDriverNames) {
  try {
    await sqliteDriver(name);
    drivers.push(name);
  } catch {
    // Not here.
  }
}
const { name: preferred } = await sqliteDriver();

it("has a driver on every runtime", () => {
  assert.equal(preferred, "bun" in process.versions ? "bun:sqlite" : "node:sqlite");
  assert.ok(drivers.includes(preferred));
});

it("keeps its files from others", async () => {
  if (process.platform === "win32") return; // has other rights
  const dir = join(folder, "private");
  const store = await openSqliteBackend({ dir });
  await store.write(new HistoryMaker().put("secret").generation());
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  for (const file of readdirSync(dir)) assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600, file);
  assert.ok(readdirSync(dir).includes(`${fileName}-wal`));
  await store.close();
});

it("says across threads what went wrong", async () => {
  const dir = mkdtempSync(join(folder, "full-"));
  const store = await openSqliteBackend({ dir, sync: false, fileBytesMax: 200_000 });
  const maker = new HistoryMaker();
  for (let i = 0; i < 400; i++) maker.put(`k${i}`, new Uint8Array(1000));
  const isFull = (error: unknown) =>
    error instanceof BackendIoError && error.diskFull && error.file === store.file;
  await assert.rejects(store.write(maker.generation()), isFull);
  await assert.rejects(store.write(maker.put("k").generation()), isFull);
  assert.equal(store.position.revision, 1);
  await store.close();

  writeFileSync(join(dir, fileName), "something else ".repeat(500));
  await assert.rejects(openSqliteBackend({ dir }), (error) => {
    return error instanceof BackendCorruptError && /not a database/.test(error.message);
  });
  await assert.rejects(
    openSqliteBackend({ dir: join(dir, fileName, "x") }),
    /ENOTDIR|EEXIST|not a directory/i,
  );
});

for (const driver of drivers) {
  const options = (dir: string) => ({ dir, driver, sync: false, walBytesMax: 256 * 1024 });
  const subject = {
    name: `sqlite on ${driver}`,
    open: () => openSqliteBackend(options(mkdtempSync(join(folder, "store-")))),
    reopen: async (backend: unknown) => {
      assert.ok(backend instanceof SqliteBackend);
      await backend.close();
      return await openSqliteBackend(options(dirname(backend.file)));
    },
    inspect: async (closed: unknown) => {
      assert.ok(closed instanceof SqliteBackend);
      assert.deepEqual((await checkStore(dirname(closed.file), driver)).problems, []);
    },
  };
  contractSuite(subject);
  propertySuite(subject);
  importSuite(subject);
  importSuite({
    ...subject,
    name: `sqlite on ${driver}, filled without a journal`,
    open: () =>
      openSqliteBackend({ ...options(mkdtempSync(join(folder, "filled-"))), sync: true, isFilling: true }),
  });
  importSuite({
    ...subject,
    name: `sqlite on ${driver}, with seven keys gathered`,
    open: () => openLocally(mkdtempSync(join(folder, "gathered-")), { importKeysMax: 7, isFilling: true }),
  });
}

it("does not take for readable what its reader does not see", async () => {
  let reader: SqliteDatabase | undefined;
  const store = await openLocally(mkdtempSync(join(folder, "stale-")), {}, (driver) => ({
    name: driver.name,
    open: (file, options) => {
      const db = driver.open(file, options);
      if (options.readOnly) reader = db;
      return db;
    },
  }));
  const maker = new HistoryMaker();
  await store.write(maker.put("a").generation());
  // A transaction that is left open sees what was before, whatever is written.
  reader!.exec("BEGIN");
  assert.equal(store.versionAt("a", 2 as Revision)?.version, 1);
  await assert.rejects(store.write(maker.delete("a").generation()), /revision 3 was written, and 2 is read/);
  reader!.exec("COMMIT");
  await store.write(maker.put("b").generation());
  await store.close();
});

it("is filled, and then survives what others survive", async () => {
  const dir = mkdtempSync(join(folder, "filling-"));
  const store = await openSqliteBackend({ dir, isFilling: true });
  const maker = new HistoryMaker().put("a").put("b");
  await store.write({ ...maker.generation(), isImport: true, importGoesOn: true });
  await store.write({ ...maker.put("a").generation(), isImport: true });
  assert.ok(!readdirSync(dir).includes(`${fileName}-wal`));
  await store.sync();
  assert.deepEqual(store.durable, store.position);
  await store.write(maker.put("c").generation());
  assert.ok(readdirSync(dir).includes(`${fileName}-wal`));
  await store.close();
  assert.deepEqual((await checkStore(dir)).problems, []);
  await assert.rejects(openSqliteBackend({ dir, isFilling: true }), /was there before/);
});

it("holds nobody to a store that is half imported", async () => {
  const store = await openSqliteBackend({ dir: mkdtempSync(join(folder, "half-")), isFilling: true });
  const maker = new HistoryMaker().put("a");
  await store.write({ ...maker.generation(), isImport: true, importGoesOn: true });
  await assert.rejects(store.write(maker.put("b").generation()), /an import has not ended/);
  await store.close();
});
