import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FaultDisk } from "../lib/testing/fault-disk.ts";
import { frameStarts, logDir, longLog, refuses, smallSegments } from "./testing/small-log.ts";
import { verifyWal } from "./verify.ts";

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
