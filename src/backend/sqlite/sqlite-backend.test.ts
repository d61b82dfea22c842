import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, it } from "node:test";
import { type SqliteDriverName, sqliteDriver, sqliteDriverNames } from "../../runtime/sqlite.ts";
import { contractSuite } from "../testing/contract-suite.ts";
import { importSuite } from "../testing/import-suite.ts";
import { propertySuite } from "../testing/property-suite.ts";
import { checkStore } from "./check.ts";
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
}
