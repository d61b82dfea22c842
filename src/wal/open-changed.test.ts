/** Opening a log whose folder is not as the log left it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crc32c } from "../lib/crc32c.ts";
import { createSegment } from "./create-segment.ts";
import { emptyLogState } from "./log-state.ts";
import { segmentName } from "./segment-name.ts";
import {
  brief,
  entries,
  entry,
  frameStarts,
  hardState,
  logDir,
  logMetadata,
  longLog,
  refuses,
  SmallLog,
  smallSegments,
} from "./testing/small-log.ts";
import { WalMetadataError } from "./wal.ts";

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
