/** The log on the machine's own disk and clock. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { RaftIndex } from "../lib/ids.ts";
import { openWal } from "./open.ts";
import { brief, entries, hardState, logMetadata } from "./testing/small-log.ts";
import { verifyWal } from "./verify.ts";
import type { Wal, WalBatch } from "./wal.ts";

const from = (index: number) => index as RaftIndex;

function save(wal: Wal, batch: Partial<WalBatch>): Promise<void> {
  return new Promise((resolve, reject) => {
    wal.save({ entries: [], mustSync: true, ...batch }, (error) => (error ? reject(error) : resolve()));
  });
}

describe("the log on a real disk", () => {
  let root = "";
  before(() => {
    root = mkdtempSync(join(tmpdir(), "wal-"));
  });
  after(() => {
    rmSync(root, { recursive: true, force: true });
  });

  for (const sync of [true, false]) {
    it(`keeps what was saved over many segments, ${sync ? "synced" : "not synced"}`, async () => {
      const dir = join(root, `member-${sync}`, "wal");
      const syncs: number[] = [];
      const options = {
        dir,
        metadata: logMetadata,
        segmentBytes: 32 * 1024,
        sync,
        onSync: (seconds: number) => syncs.push(seconds),
      };
      const first = await openWal(options, from(0));
      const saves: Promise<void>[] = [];
      for (let index = 1; index <= 400; index += 8) {
        const batch = { entries: entries(index, index + 7, 1, 250), hardState: hardState(1, 3n, index) };
        saves.push(save(first.wal, batch));
        if (index % 3 === 0) await saves.at(-1);
      }
      await Promise.all(saves);
      await first.wal.close();
      assert.equal(syncs.length > 0, sync);
      assert.ok(syncs.every((seconds) => seconds > 0 && seconds < 60));
      const names = readdirSync(dir).sort();
      assert.ok(names.length >= 4);

      const second = await openWal(options, from(0));
      assert.deepEqual(second.contents.entries, entries(1, 400, 1, 250));
      assert.deepEqual(second.contents.hardState, hardState(1, 3n, 393));
      const sizes = names.map((name) => statSync(join(dir, name)).size);
      assert.equal(
        second.wal.sizeBytes,
        sizes.reduce((sum, size) => sum + size, 0),
      );
      second.wal.release(from(390), 1);
      await second.wal.close();
      assert.ok(readdirSync(dir).length < names.length);
      assert.equal((await verifyWal(dir)).tornTail, undefined);

      const third = await openWal(options, from(397));
      assert.equal(brief(third.contents.entries), "398@1 399@1 400@1");
      await third.wal.close();
    });
  }

  it("says what is wrong with a folder", async () => {
    const file = join(root, "file");
    writeFileSync(file, "");
    await assert.rejects(openWal({ dir: join(file, "wal"), metadata: logMetadata }, from(0)), {
      name: "WalIoError",
      message: /cannot make the folder .*: not a directory \(ENOTDIR\)/,
    });
  });
});
