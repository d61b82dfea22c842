/** The checker finds what is wrong even when SQLite and every checksum are content. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { sqliteDriver } from "../../runtime/sqlite.ts";
import { rev } from "../testing/contract-subject.ts";
import { KnownHistory } from "../testing/known-history.ts";
import { openLocally } from "../testing/local-client.ts";
import { checkStore } from "./check.ts";
import { fileName } from "./schema.ts";

const folder = mkdtempSync(join(tmpdir(), "etclite-check-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A change that no checksum sees, or that the checker has to say more about, and what it says. */
const changes: readonly { readonly sql: string; readonly finds: RegExp }[] = [
  {
    sql: "DELETE FROM milestone WHERE seq = (SELECT max(seq) FROM milestone)",
    finds: /its milestone is missing/,
  },
  { sql: "INSERT INTO milestone VALUES (x'00', 7)", finds: /milestone: \d+ rows, \d+ expected/ },
  {
    sql: "DELETE FROM leased WHERE key = (SELECT min(key) FROM leased)",
    finds: /leased: \d+ rows, \d+ expected/,
  },
  {
    sql: "UPDATE leased SET lease = x'0000000000000009' WHERE key = (SELECT min(key) FROM leased)",
    finds: /fails its checksum/,
  },
  {
    sql: "DELETE FROM cur WHERE key = (SELECT min(key) FROM cur WHERE lease IS NULL)",
    finds: /rows belong to no key/,
  },
  {
    sql: "DELETE FROM log WHERE seq = (SELECT max(seq) FROM log)",
    finds: /log: ends at row \d+, but row \d+ is next/,
  },
  {
    sql: "DELETE FROM log WHERE seq = (SELECT prev FROM log WHERE prev > 400 LIMIT 1)",
    finds: /log: rows \d+ to \d+ are missing/,
  },
  {
    sql: "UPDATE log SET value = x'00' WHERE seq = (SELECT max(seq) FROM log)",
    finds: /value fails its checksum/,
  },
  {
    sql: "UPDATE log SET prev = prev - 1 WHERE seq = (SELECT max(seq) FROM log WHERE prev > 1)",
    finds: /the head fails/,
  },
  {
    sql: "UPDATE cur SET seq = seq - 1 WHERE key = (SELECT min(key) FROM cur)",
    finds: /differs from log row/,
  },
  { sql: "UPDATE state SET revision = revision - 1", finds: /row with the position fails its checksum/ },
  { sql: "UPDATE meta SET value = x'00'", finds: /meta lease .* fails its checksum/ },
  { sql: "DELETE FROM state", finds: /row with the position is missing/ },
  { sql: "DROP TABLE milestone", finds: /not the ones this program made/ },
];

describe("the checker", () => {
  const dir = join(folder, "store");
  let versions = 0;

  before(async () => {
    mkdirSync(dir);
    const store = await openLocally(dir);
    const history = new KnownHistory({ seed: 3, keys: 60, transactionsMax: 30, compactions: 0 });
    for (let i = 0; i < 30; i++) await store.write(history.next());
    const { revision, appliedIndex, appliedTerm } = store.position;
    const compactRevision = rev(100);
    await store.write({ versions: [], meta: [], appliedIndex, appliedTerm, revision, compactRevision });
    await store.compact(compactRevision);
    versions = store.history({ revision: rev(0), sub: 0 }, 1e6, Number.POSITIVE_INFINITY).length;
    await store.close();
  });

  it("is content with a store that is whole", async () => {
    const parts = new Set<string>();
    const report = await checkStore(dir, undefined, (part) => parts.add(part));
    assert.deepEqual([...parts], ["structure"], "a small store has no more to tell of");
    assert.deepEqual(report.problems, []);
    assert.equal(report.versions, versions);
    assert.ok(report.keys > 40 && report.keys <= 60);
    assert.equal(report.state?.compacted_revision, 100);
  });

  it("says that a store is not there", async () => {
    assert.match((await checkStore(join(folder, "nowhere"))).problems[0]!, /missing/);
  });

  for (const [i, { sql, finds }] of changes.entries()) {
    it(`finds: ${sql}`, async () => {
      const copy = join(folder, `changed-${i}`);
      mkdirSync(copy);
      copyFileSync(join(dir, fileName), join(copy, fileName));
      const db = (await sqliteDriver()).open(join(copy, fileName), { readOnly: false });
      db.exec(sql);
      db.close();
      const { problems } = await checkStore(copy);
      assert.ok(
        problems.some((problem) => finds.test(problem)),
        problems.slice(0, 5).join("\n") || "nothing",
      );
    });
  }
});
