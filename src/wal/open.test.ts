import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FaultDisk } from "../lib/testing/fault-disk.ts";
import { openWal, walExists } from "./open.ts";
import {
  brief,
  entries,
  entry,
  hardState,
  logDir,
  logMetadata,
  longLog,
  mark,
  refuses,
  SmallLog,
  smallSegments,
} from "./testing/small-log.ts";

describe("openWal", () => {
  it("makes a log where there is none", async () => {
    const log = new SmallLog();
    assert.equal(await walExists(logDir, log.disk), false);
    const contents = await log.open();
    assert.deepEqual(contents, {
      metadata: logMetadata,
      hardState: undefined,
      snapshot: undefined,
      entries: [],
      lastIndex: 0,
      lastTerm: 0,
      created: true,
    });
    assert.deepEqual(log.files(), ["0000000000000000-0000000000000001.wal"]);
    assert.equal(await walExists(logDir, log.disk), true);
    assert.equal((await log.reopen()).created, false);
  });

  it("makes a log that goes on after what the store was restored with", async () => {
    const log = new SmallLog();
    const contents = await log.open(500);
    assert.equal(contents.lastIndex, 500);
    await log.save({ snapshot: mark(500, 4), hardState: hardState(4, 0n, 500) });
    await log.save({ entries: entries(501, 503, 5) });
    const found = await log.reopen(500);
    assert.equal(brief(found.entries), "501@5 502@5 503@5");
    assert.deepEqual(found.snapshot, mark(500, 4));
    assert.deepEqual(log.files(), ["0000000000000000-00000000000001f5.wal"]);
  });

  it("gives back what was saved", async () => {
    const log = new SmallLog();
    await log.open();
    await log.save({ entries: entries(1, 3), hardState: hardState(1, 9n, 0) });
    await log.save({
      entries: entries(4, 5, 2),
      hardState: hardState(2, 2n ** 64n - 1n, 3),
      snapshot: mark(2, 1),
    });
    const contents = await log.reopen();
    assert.deepEqual(contents.entries, [...entries(1, 3), ...entries(4, 5, 2)]);
    assert.deepEqual(contents.hardState, hardState(2, 2n ** 64n - 1n, 3));
    assert.deepEqual(contents.snapshot, mark(2, 1));
    assert.equal(contents.lastIndex, 5);
    assert.equal(contents.lastTerm, 2);
    assert.deepEqual(contents.metadata, logMetadata);
    assert.deepEqual(log.warnings, []);
  });

  it("gives only entries after the index asked for", async () => {
    const log = await longLog(30);
    for (let from = 0; from <= 30; from++) {
      const contents = await log.reopen(from, smallSegments);
      assert.deepEqual(
        contents.entries.map((item) => item.index),
        entries(from + 1, 30).map((item) => item.index),
      );
      assert.equal(contents.lastIndex, 30);
      assert.equal(contents.lastTerm, 1);
      assert.deepEqual(contents.hardState, hardState(1, 2n, 30));
    }
  });

  it("gives each entry its own bytes, however long the log", async () => {
    const log = new SmallLog();
    await log.open();
    const all = entries(1, 6000, 1, 300);
    for (let first = 0; first < all.length; first += 40)
      await log.save({ entries: all.slice(first, first + 40) });
    const contents = await log.reopen(3000);
    assert.deepEqual(contents.entries, all.slice(3000));
  });

  it("lets entries of a later term replace those from their index on", async () => {
    const log = new SmallLog();
    await log.open();
    await log.save({ entries: entries(1, 10) });
    await log.save({ entries: entries(6, 7, 3) });
    assert.equal(brief((await log.reopen()).entries), "1@1 2@1 3@1 4@1 5@1 6@3 7@3");
    await log.save({ entries: [entry(8, 3)] });
    await log.save({ entries: [entry(2, 4)] });
    assert.equal(brief((await log.reopen()).entries), "1@1 2@4");
    // Asked for from within what was replaced.
    assert.equal(brief((await log.reopen(1)).entries), "2@4");
  });

  it("begins anew behind a snapshot beyond the end, or in conflict with the entry there", async () => {
    const log = new SmallLog();
    await log.open();
    await log.save({ entries: entries(1, 10) });
    await log.save({ snapshot: mark(5, 1) });
    assert.equal((await log.reopen()).entries.length, 10);
    await log.save({ snapshot: mark(7, 2), entries: entries(8, 9, 2) });
    let contents = await log.reopen();
    assert.equal(brief(contents.entries), "8@2 9@2");
    assert.deepEqual(contents.snapshot, mark(7, 2));
    await log.save({ snapshot: mark(50, 3) });
    contents = await log.reopen();
    assert.equal(contents.entries.length, 0);
    assert.equal(contents.lastIndex, 50);
    assert.equal(contents.lastTerm, 3);
    await log.save({ entries: [entry(51, 3)] });
    assert.equal(brief((await log.reopen(20)).entries), "51@3");
  });

  it("repeats state at the beginning of each segment, so that older ones can go", async () => {
    const log = await longLog(40);
    await log.save({ snapshot: mark(20, 1) });
    for (let index = 41; index <= 60; index++) await log.save({ entries: [entry(index, 1, 500)] });
    const before = log.files().length;
    log.wal.release(55 as never, 1);
    await log.close();
    assert.ok(log.files().length < before - 3);
    const contents = await log.open(55, smallSegments);
    assert.equal(brief(contents.entries), "56@1 57@1 58@1 59@1 60@1");
    assert.deepEqual(contents.hardState, hardState(1, 2n, 40));
    assert.deepEqual(contents.snapshot, mark(20, 1));
    await refuses(log.reopen(3, smallSegments), /entries 4 to \d+ are missing/);
  });

  it("keeps as many segments as it is told to", async () => {
    const log = await longLog(60);
    const all = log.files();
    log.wal.release(60 as never, 5);
    await log.close();
    assert.deepEqual(log.files(), all.slice(-5));
  });

  it("counts the bytes on disk", async () => {
    const log = await longLog(30);
    const onDisk = () => log.disk.paths().reduce((sum, path) => sum + log.disk.contentOf(path).length, 0);
    assert.equal(log.wal.sizeBytes, onDisk());
    await log.reopen(0, smallSegments);
    assert.equal(log.wal.sizeBytes, onDisk());
    log.wal.release(30 as never, 2);
    const { sizeBytes } = log.wal;
    await log.close();
    assert.equal(sizeBytes, onDisk());
  });
});

describe("openWal, on a disk that refuses,", () => {
  it("says what it could not do, and why in plain words", async () => {
    const faults: [string, string, RegExp][] = [
      ["makeDir", "EROFS", /cannot make the folder \/d\/log: read-only file system \(EROFS\)/],
      ["open", "EACCES", /cannot create .*tmp: permission denied \(EACCES\)/],
      ["writeDurably", "ENOSPC", /cannot write .*tmp: no space left on device \(ENOSPC\)/],
      ["rename", "EIO", /cannot rename .*tmp: input\/output error \(EIO\)/],
      ["syncDir", "EIO", /cannot sync the folder of .*wal: input\/output error \(EIO\)/],
      ["list", "EMFILE", /cannot read the folder .*: too many open files \(EMFILE\)/],
    ];
    for (const [kind, code, message] of faults) {
      const disk = new FaultDisk();
      disk.hook = (operation) => (operation.kind === kind ? { code } : undefined);
      await assert.rejects(openWal({ dir: logDir, metadata: logMetadata, disk }, 0 as never), {
        name: "WalIoError",
        code,
        message,
      });
    }
  });
});
