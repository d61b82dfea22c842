import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FaultDisk } from "../lib/testing/fault-disk.ts";
import { createSegment } from "./create-segment.ts";
import { emptyLogState } from "./log-state.ts";
import { openWal, walExists } from "./open.ts";
import { segmentName } from "./segment-name.ts";
import {
  brief,
  entries,
  entry,
  hardState,
  logDir,
  logMetadata,
  mark,
  SmallLog,
} from "./testing/small-log.ts";
import { verifyWal } from "./verify.ts";
import { WalCorruptError, WalMetadataError } from "./wal.ts";

const smallSegments = { segmentBytes: 4096 };

/** A log of several segments with entries 1 to `last`. */
async function longLog(last: number): Promise<SmallLog> {
  const log = new SmallLog();
  await log.open(0, smallSegments);
  for (let index = 1; index <= last; index++) {
    await log.save({ entries: [entry(index, 1, 500)], hardState: hardState(1, 2n, index) });
  }
  return log;
}

/** Rejects as damaged, with these words. */
async function refuses(opening: Promise<unknown>, words: RegExp): Promise<WalCorruptError> {
  try {
    await opening;
  } catch (error) {
    assert.ok(error instanceof WalCorruptError, String(error));
    assert.match(error.message, words);
    return error;
  }
  assert.fail("it was opened");
}

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

describe("openWal, on a folder that is not as it was left,", () => {
  it("refuses another member's log, and takes any when it is not told whose", async () => {
    const log = new SmallLog();
    await log.open();
    await log.close();
    await assert.rejects(log.open(0, { metadata: Uint8Array.from([9]) }), WalMetadataError);
    const contents = await log.open(0, { metadata: new Uint8Array(0) });
    assert.deepEqual(contents.metadata, logMetadata);
    // And new segments get what the old ones have.
    for (let index = 1; index <= 20; index++) await log.save({ entries: [entry(index, 1, 500)] });
    assert.deepEqual((await log.reopen(0, smallSegments)).metadata, logMetadata);
  });

  it("removes a segment that was never finished", async () => {
    const log = await longLog(3);
    await log.close();
    log.disk.put(`${logDir}/${segmentName(9, 4).name}.tmp`, new Uint8Array(100));
    await log.open(0, smallSegments);
    assert.ok(log.files().every((name) => !name.endsWith(".tmp")));
  });

  it("refuses a log with a segment missing, unless nothing before it is wanted", async () => {
    const log = await longLog(40);
    await log.close();
    const files = log.files();
    assert.ok(files.length > 4);
    await log.disk.remove(`${logDir}/${files[2]}`);
    const error = await refuses(
      log.open(0, smallSegments),
      new RegExp(`the segment after ${files[1]} is missing`),
    );
    assert.equal(error.file, `${logDir}/${files[3]}`);
    assert.deepEqual(log.warnings, []);
    const contents = await log.open(38, smallSegments);
    assert.equal(brief(contents.entries), "39@1 40@1");
    assert.deepEqual(log.files(), files.slice(3));
    assert.equal(log.warnings.length, 2);
  });

  it("refuses a log whose last segment is missing, by what the store or the hard state says", async () => {
    const log = await longLog(40);
    await log.close();
    const files = log.files();
    const gone = log.disk.contentOf(`${logDir}/${files.at(-1)}`);
    await log.disk.remove(`${logDir}/${files.at(-1)}`);
    await refuses(
      log.open(40, smallSegments),
      /the log ends with entry \d+, but entries up to 40 were applied/,
    );
    log.disk.put(`${logDir}/${files.at(-1)}`, gone);
    await log.open(40, smallSegments);
  });

  it("refuses segments that were exchanged, renamed, or come from another log", async () => {
    const log = await longLog(40);
    await log.close();
    const [first, second, third] = log.files().map((name) => `${logDir}/${name}`);
    const [a, b] = [log.disk.contentOf(first!), log.disk.contentOf(second!)];
    log.disk.put(first!, b);
    log.disk.put(second!, a);
    await refuses(log.open(0, smallSegments), /the name differs from the head/);
    log.disk.put(first!, a);
    log.disk.put(second!, b);
    await log.open(0, smallSegments);
    await log.close();

    const other = await longLog(40);
    await other.close();
    // Same names, same entries, but its own chain.
    assert.deepEqual(other.files(), log.files());
    const foreign = new SmallLog();
    foreign.disk = other.disk;
    const salted = await (async () => {
      const again = new SmallLog();
      await again.open(0, { ...smallSegments, random: () => 12345 });
      for (let index = 1; index <= 40; index++) {
        await again.save({ entries: [entry(index, 1, 500)], hardState: hardState(1, 2n, index) });
      }
      await again.close();
      return again.disk;
    })();
    foreign.disk.put(third!, salted.contentOf(third!));
    await refuses(foreign.open(0, smallSegments), /does not fit the next segment/);
  });

  it("refuses a frame that was copied to another place", async () => {
    const log = new SmallLog();
    await log.open();
    for (let index = 1; index <= 3; index++) await log.save({ entries: [entry(index, 1, 90)] });
    await log.close();
    const path = log.disk.paths()[0]!;
    const content = log.disk.contentOf(path);
    const frames = frameStarts(content);
    assert.equal(frames.length, 4);
    const copied = content.slice();
    copied.copyWithin(frames[3]!, frames[2]!, frames[3]!);
    log.disk.put(path, copied);
    const error = await refuses(log.open(), /the header of a frame is damaged/);
    assert.equal(error.offset, frames[3]);
  });

  it("refuses a frame from a copy of the log that went its own way", async () => {
    const log = new SmallLog();
    await log.open();
    await log.save({ entries: [entry(1)] });
    const copy = new SmallLog();
    await log.close();
    copy.disk = log.disk.afterKill();
    for (const [fork, term] of [
      [log, 2],
      [copy, 3],
    ] as const) {
      await fork.open();
      await fork.save({ entries: [entry(2, term, 100)] });
      await fork.save({ entries: [entry(3, term, 100)] });
      await fork.close();
    }
    const path = log.disk.paths()[0]!;
    const content = log.disk.contentOf(path);
    const third = frameStarts(content)[3]!;
    content.set(copy.disk.contentOf(path).subarray(third), third);
    log.disk.put(path, content);
    const error = await refuses(log.open(), /a frame that does not follow the one before it/);
    assert.equal(error.offset, third);
  });

  it("refuses what no interrupted write leaves", async () => {
    const log = new SmallLog();
    await log.open();
    await log.save({ entries: entries(1, 3, 1, 700) });
    await log.close();
    const path = log.disk.paths()[0]!;
    const content = log.disk.contentOf(path);
    const last = frameStarts(content).at(-1)!;
    const frameEnd = last + 32 + new DataView(content.buffer).getUint32(last + 12, true);
    const refusesWith = async (change: (bytes: Uint8Array) => void, words: RegExp) => {
      const changed = content.slice();
      change(changed);
      log.disk.put(path, changed);
      const error = await refuses(log.open(), words);
      assert.equal(error.offset, last);
    };
    // The header alone is gone, but the rest of its sector is there.
    await refusesWith((bytes) => bytes.fill(0, last, last + 32), /zeros instead of a frame/);
    // A sector is missing, and something stands behind the frame.
    await refusesWith((bytes) => {
      bytes.fill(0, 1024, 1536);
      bytes[frameEnd + 600] = 1;
    }, /and something follows/);
  });

  it("refuses a log that ends before what was committed", async () => {
    const log = new SmallLog();
    await log.disk.makeDir(logDir);
    const { file } = await createSegment({
      disk: log.disk,
      dir: logDir,
      sync: true,
      metadata: logMetadata,
      state: { ...emptyLogState(5 as never), hardState: hardState(1, 1n, 9) },
      sequence: 0,
      salt: 1,
      previousEnd: 0,
      previousChain: 0,
    });
    await file.close();
    await refuses(log.open(5), /ends with entry 5, but entries up to 9 were committed/);
  });

  it("refuses an empty segment, a stranger's file, and a later format", async () => {
    const name = segmentName(0, 1).name;
    const refusesFile = async (content: Uint8Array, words: RegExp) => {
      const log = new SmallLog();
      log.disk.put(`${logDir}/${name}`, content);
      const error = await refuses(log.open(), words);
      assert.equal(error.offset, 0);
    };
    await refusesFile(new Uint8Array(0), /the head is cut short/);
    await refusesFile(new Uint8Array(4096), /no log segment/);
    await refusesFile(new Uint8Array(4096).fill(65), /no log segment/);
    const log = new SmallLog();
    await log.open();
    await log.close();
    const content = log.disk.contentOf(log.disk.paths()[0]!);
    const damaged = content.slice();
    damaged[20] = 9;
    await refusesFile(damaged, /the head's checksum is wrong/);
    const { crc32c } = await import("../lib/crc32c.ts");
    const later = content.slice();
    later[8] = 2;
    new DataView(later.buffer).setUint32(60, crc32c(later.subarray(0, 60)), true);
    await refusesFile(later, /format version 2 is unknown/);
  });

  it("cuts off a torn tail, says so, keeps it, and forgets it with its segment", async () => {
    const log = await longLog(3);
    await log.close();
    const path = log.disk.paths().at(-1)!;
    const content = log.disk.contentOf(path);
    const last = frameStarts(content).at(-1)!;
    log.disk.put(path, content.slice(0, last + 100));
    const contents = await log.open(0, smallSegments);
    assert.equal(contents.lastIndex, 2);
    assert.equal(log.disk.contentOf(path).length, last);
    assert.equal(log.warnings.length, 1);
    assert.match(log.warnings[0]!, /repaired a torn write .*"bytes":100/);
    const broken = log.files().filter((name) => name.endsWith(".broken"));
    assert.equal(broken.length, 1);
    assert.deepEqual(log.disk.contentOf(`${logDir}/${broken[0]}`), content.slice(last, last + 100));
    for (let index = 3; index <= 30; index++) await log.save({ entries: [entry(index, 1, 500)] });
    await log.reopen(0, smallSegments);
    assert.equal(log.warnings.length, 1);
    log.wal.release(30 as never, 1);
    await log.reopen(30, smallSegments);
    assert.deepEqual(
      log.files().filter((name) => name.endsWith(".broken")),
      [],
    );
  });

  it("repairs even if there is no room for the copy", async () => {
    const log = await longLog(2);
    await log.close();
    const path = log.disk.paths().at(-1)!;
    const content = log.disk.contentOf(path);
    log.disk.put(path, content.slice(0, frameStarts(content).at(-1)! + 7));
    log.disk.hook = ({ kind, path: at }) =>
      kind === "write" && at.endsWith(".broken") ? { code: "ENOSPC" } : undefined;
    assert.equal((await log.open(0, smallSegments)).lastIndex, 1);
    assert.match(log.warnings[0]!, /its copy failed.*ENOSPC/);
  });

  it("makes what it has read durable before anybody counts on it", async () => {
    const log = new SmallLog();
    await log.open();
    const synced: string[] = [];
    await log.close();
    log.disk.hook = ({ kind }) => {
      synced.push(kind);
      return undefined;
    };
    await log.open();
    assert.ok(synced.includes("sync") && synced.includes("syncDir"));
  });

  it("never syncs when told so", async () => {
    const log = new SmallLog();
    const seen = new Set<string>();
    log.disk.hook = ({ kind }) => {
      seen.add(kind);
      return undefined;
    };
    await log.open(0, { sync: false, segmentBytes: 4096 });
    for (let index = 1; index <= 30; index++) await log.save({ entries: [entry(index, 1, 500)] });
    const contents = await log.reopen(0, { sync: false, segmentBytes: 4096 });
    assert.equal(contents.lastIndex, 30);
    for (const kind of ["sync", "syncDir", "writeDurably"]) assert.ok(!seen.has(kind), kind);
    assert.deepEqual(log.syncs, []);
  });
});

describe("verifyWal", () => {
  it("reports on every segment and changes nothing", async () => {
    const log = await longLog(20);
    await log.close();
    const before = log.disk.paths().map((path) => log.disk.contentOf(path));
    const report = await verifyWal(logDir, log.disk, log.clock);
    assert.equal(
      report.segments.reduce((sum, segment) => sum + segment.entries, 0),
      20,
    );
    assert.deepEqual(
      report.segments.map((segment) => segment.file),
      log.files(),
    );
    assert.equal(report.state.lastIndex, 20);
    assert.equal(report.tornTail, undefined);
    assert.deepEqual(
      log.disk.paths().map((path) => log.disk.contentOf(path)),
      before,
    );
  });

  it("tells a torn tail from damage, also in segments that a start would not read", async () => {
    const log = await longLog(20);
    await log.close();
    const last = log.disk.paths().at(-1)!;
    const content = log.disk.contentOf(last);
    const start = frameStarts(content).at(-1)!;
    log.disk.put(last, content.slice(0, start + 40));
    const report = await verifyWal(logDir, log.disk, log.clock);
    assert.deepEqual(report.tornTail, {
      file: log.files().at(-1),
      offset: start,
      what: "a frame is cut short",
    });
    assert.equal(log.disk.contentOf(last).length, start + 40);
    const first = log.disk.paths()[0]!;
    const damaged = log.disk.contentOf(first);
    damaged[700] = damaged[700]! ^ 4;
    log.disk.put(first, damaged);
    await log.open(19, smallSegments);
    await log.close();
    const error = await refuses(verifyWal(logDir, log.disk, log.clock), /checksum of a frame is wrong/);
    assert.equal(error.file, first);
  });

  it("says that there is no log", async () => {
    const disk = new FaultDisk();
    await disk.makeDir(logDir);
    await refuses(verifyWal(logDir, disk), /no log/);
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

/** Where the frames of a segment begin. */
function frameStarts(content: Uint8Array): number[] {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const starts: number[] = [];
  for (let at = 64; at + 32 <= content.length && view.getUint32(at, true) !== 0; ) {
    starts.push(at);
    at += 32 + view.getUint32(at + 12, true);
  }
  return starts;
}
