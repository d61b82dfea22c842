import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FaultDisk } from "../lib/testing/fault-disk.ts";
import { removableSegments } from "./release.ts";
import { listSegments, segmentsFrom } from "./segment-list.ts";
import { parseSegmentName, segmentName } from "./segment-name.ts";
import { TermRuns } from "./term-runs.ts";

/** Segments 0, 1, 2 … that begin at the given indexes. */
const named = (...firstIndexes: number[]) => firstIndexes.map((index, i) => segmentName(i, index));

describe("segment names", () => {
  it("are etcd's in form and can be read back", () => {
    const made = segmentName(10, 2 ** 40 + 1);
    assert.equal(made.name, "000000000000000a-0000010000000001.wal");
    assert.deepEqual(parseSegmentName(made.name), made);
  });

  it("are nothing else", () => {
    const others = [
      "0-1.wal",
      "000000000000000a-0000010000000001.wal.tmp",
      "000000000000000A-0000010000000001.wal",
      "000000000000000a-0000010000000001.wal.40.broken",
      "x000000000000000a-0000010000000001.wal",
      "00ffffffffffffff-0000000000000001.wal",
      "lock",
    ];
    for (const name of others) assert.equal(parseSegmentName(name), undefined, name);
  });
});

describe("listSegments", () => {
  const dir = "/log";
  async function listOf(...names: string[]) {
    const disk = new FaultDisk();
    for (const name of names) disk.put(`${dir}/${name}`, new Uint8Array(1));
    return listSegments(disk, dir);
  }

  it("sorts what is there", async () => {
    const [a, b, c] = named(1, 5, 9);
    const list = await listOf(c!.name, "x", a!.name, `${b!.name}.tmp`, b!.name, `${b!.name}.40.broken`);
    assert.deepEqual(list, {
      segments: [a, b, c],
      detached: [],
      temporary: [`${b!.name}.tmp`],
      broken: [`${b!.name}.40.broken`],
      foreign: ["x"],
    });
  });

  it("takes only the segments after the last hole", async () => {
    const all = named(1, 5, 9, 12, 20);
    const list = await listOf(all[0]!.name, all[1]!.name, all[3]!.name, all[4]!.name);
    assert.deepEqual(list.segments, [all[3], all[4]]);
    assert.deepEqual(list.detached, [all[0], all[1]]);
  });

  it("refuses two segments of one number", async () => {
    const names = [segmentName(0, 1).name, segmentName(1, 5).name, segmentName(1, 6).name];
    await assert.rejects(listOf(...names), {
      name: "WalCorruptError",
      message: /second segment of the same number/,
    });
  });

  it("says which folder cannot be read", async () => {
    await assert.rejects(listSegments(new FaultDisk(), "/none"), { name: "WalIoError", code: "ENOENT" });
  });
});

describe("segmentsFrom", () => {
  it("begins with the last segment that was begun before", () => {
    const all = named(1, 101, 201);
    assert.deepEqual(segmentsFrom(all, 0), all);
    assert.deepEqual(segmentsFrom(all, 99), all);
    assert.deepEqual(segmentsFrom(all, 100), all.slice(1));
    assert.deepEqual(segmentsFrom(all, 150), all.slice(1));
    assert.deepEqual(segmentsFrom(all, 200), all.slice(2));
    assert.deepEqual(segmentsFrom(all, 5000), all.slice(2));
    assert.deepEqual(segmentsFrom(named(50, 60), 10), named(50, 60));
  });

  it("knows that entries may have been replaced from an earlier index on", () => {
    const all = named(1, 101, 201, 120);
    assert.deepEqual(segmentsFrom(all, 150), all.slice(3));
    assert.deepEqual(segmentsFrom(all, 110), all.slice(1));
  });
});

describe("removableSegments", () => {
  it("are those before a segment that begins at or before the next index", () => {
    const all = named(1, 101, 201, 301);
    assert.equal(removableSegments(all, 99, 1), 0);
    assert.equal(removableSegments(all, 100, 1), 1);
    assert.equal(removableSegments(all, 250, 1), 2);
    assert.equal(removableSegments(all, 10_000, 1), 3);
    assert.equal(removableSegments(named(1), 10_000, 0), 0);
  });

  it("leave the newest ones", () => {
    const all = named(1, 101, 201, 301);
    assert.equal(removableSegments(all, 10_000, 2), 2);
    assert.equal(removableSegments(all, 10_000, 5), 0);
    assert.equal(removableSegments(all, 10_000, 0), 3);
    assert.equal(removableSegments(all, 150, 3), 1);
  });

  it("include those that were overtaken by a replacement", () => {
    assert.equal(removableSegments(named(1, 101, 201, 120), 150, 1), 3);
  });
});

describe("TermRuns", () => {
  it("knows each entry's term, and forgets replaced ones", () => {
    const terms = new TermRuns();
    for (let index = 5; index <= 10; index++) terms.set(index, 2);
    terms.set(11, 4);
    terms.set(12, 4);
    assert.equal(terms.at(4), undefined);
    assert.equal(terms.at(5), 2);
    assert.equal(terms.at(10), 2);
    assert.equal(terms.at(12), 4);
    terms.set(8, 5);
    assert.equal(terms.at(7), 2);
    assert.equal(terms.at(8), 5);
  });
});
