import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeEntry, encodeHardState } from "../codec/raft-log.ts";
import type { MemberId, RaftIndex, Term } from "../lib/ids.ts";
import { type Entry, EntryType, emptyConfState, type SnapshotMark } from "../lib/raft-entry.ts";
import { FaultDisk } from "../lib/testing/fault-disk.ts";
import { encodeMark } from "./mark.ts";
import { readEtcdLog } from "./read-log.ts";
import { encodeFrame, nextCrc, RecordType } from "./record.ts";
import { segmentName } from "./segment-names.ts";
import { writeEtcdLog } from "./write-log.ts";

const metadata = Uint8Array.of(8, 1, 16, 2);
const index = (value: number) => value as RaftIndex;
const term = (value: number) => value as Term;
const entry = (at: number, ofTerm = 1, bytes = 4): Entry => ({
  type: EntryType.normal,
  term: term(ofTerm),
  index: index(at),
  data: new Uint8Array(bytes).fill(7),
});
const mark = (at: number): SnapshotMark => ({
  index: index(at),
  term: term(1),
  confState: { ...emptyConfState, voters: [5n as MemberId] },
});

type Content = readonly [type: Parameters<typeof encodeFrame>[0], data: Uint8Array];
const entries = (...list: Entry[]): Content[] => list.map((e) => [RecordType.entry, encodeEntry(e)]);
const commit = (at: number): Content => [
  RecordType.hardState,
  encodeHardState({ term: term(1), vote: 5n as MemberId, commit: index(at) }),
];

/** Files as etcd writes them: each begins with the checksum so far, and ends in zeros. */
class Files {
  readonly disk = new FaultDisk();
  #crc = 0;
  #count = 0;

  async add(firstIndex: number, contents: readonly Content[], zeros = 4096): Promise<string> {
    await this.disk.makeDir("/wal");
    const all: Content[] = [
      [RecordType.checksum, new Uint8Array(0)],
      [RecordType.metadata, metadata],
      ...contents,
    ];
    const frames = all.map(([type, data]) => {
      this.#crc = nextCrc(this.#crc, data);
      return encodeFrame(type, this.#crc, data);
    });
    const path = `/wal/${segmentName(this.#count++, firstIndex)}`;
    const file = await this.disk.open(path, "create");
    let at = 0;
    for (const frame of frames) {
      await file.write(frame, at);
      at += frame.length;
    }
    await file.write(new Uint8Array(zeros), at);
    await file.close();
    return path;
  }

  async change(path: string, change: (bytes: Uint8Array) => Uint8Array | undefined): Promise<void> {
    const file = await this.disk.open(path, "write");
    const bytes = new Uint8Array(await file.size());
    await file.read(bytes, 0);
    const after = change(bytes) ?? bytes;
    await file.truncate(after.length);
    await file.write(after, 0);
    await file.close();
  }

  read(from: number) {
    return readEtcdLog(this.disk, "/wal", index(from));
  }
}

const indexes = (log: { entries: readonly Entry[] }) => log.entries.map((e) => Number(e.index));

describe("etcd's log", () => {
  it("is read over several files from an index on", async () => {
    const files = new Files();
    await files.add(0, [
      [RecordType.snapshot, encodeMark(mark(0))],
      ...entries(entry(1), entry(2)),
      commit(2),
    ]);
    await files.add(3, [...entries(entry(3), entry(4, 1, 100_000)), commit(3)]);
    const log = await files.read(1);
    assert.deepEqual(indexes(log), [2, 3, 4]);
    assert.equal(log.entries[2]?.data.length, 100_000);
    assert.equal(Number(log.hardState?.commit), 3);
    assert.deepEqual(log.metadata, metadata);
    assert.deepEqual(indexes(await files.read(3)), [4]);
    assert.deepEqual(indexes(await files.read(4)), []);
  });

  it("gives what replaced other entries", async () => {
    const files = new Files();
    await files.add(0, entries(entry(1), entry(2), entry(3), entry(2, 2)));
    const log = await files.read(0);
    assert.deepEqual(
      log.entries.map((e) => [Number(e.index), Number(e.term)]),
      [
        [1, 1],
        [2, 2],
      ],
    );
  });

  it("goes on after a leader's snapshot", async () => {
    const files = new Files();
    await files.add(0, [
      ...entries(entry(1)),
      [RecordType.snapshot, encodeMark(mark(10))],
      ...entries(entry(11)),
    ]);
    const log = await files.read(0);
    assert.deepEqual(indexes(log), [11]);
    assert.deepEqual(log.snapshots, [mark(10)]);
  });

  it("ends where a write was torn", async () => {
    const files = new Files();
    const path = await files.add(0, entries(entry(1), entry(2, 1, 2000)), 0);
    await files.change(path, (bytes) => void bytes.fill(0, 1024));
    assert.deepEqual(indexes(await files.read(0)), [1]);
    await files.change(path, (bytes) => bytes.subarray(0, 700));
    assert.deepEqual(indexes(await files.read(0)), [1]);
  });

  it("is refused when it is damaged, with file and offset", async () => {
    const files = new Files();
    const path = await files.add(0, entries(entry(1), entry(2, 1, 2000)));
    await files.change(path, (bytes) => {
      bytes[600] = bytes[600]! ^ 1;
    });
    await assert.rejects(
      files.read(0),
      /a checksum that does not fit in \/wal\/0{16}-0{16}\.wal at offset \d+/,
    );
  });

  it("is refused when a file is missing, or when it does not go back far enough", async () => {
    const files = new Files();
    await files.add(5, entries(entry(5)));
    const second = await files.add(6, entries(entry(6)));
    await files.add(7, entries(entry(7)));
    await assert.rejects(files.read(2), /no file that goes back to entry 3 in \/wal/);
    assert.deepEqual(indexes(await files.read(4)), [5, 6, 7]);
    await files.disk.remove(second);
    await assert.rejects(files.read(4), /a file is missing between/);
  });

  it("is refused when entries are missing", async () => {
    const files = new Files();
    await files.add(0, entries(entry(1), entry(3)));
    await assert.rejects(files.read(0), /entries are missing before 3/);
  });

  it("is written so that it reads back", async () => {
    const disk = new FaultDisk();
    const hardState = { term: term(3), vote: 5n as MemberId, commit: index(9) };
    await writeEtcdLog(disk, "/wal", { metadata, hardState, snapshot: mark(9), entries: [entry(10, 3)] });
    const log = await readEtcdLog(disk, "/wal", index(9));
    assert.deepEqual(log.hardState, hardState);
    assert.deepEqual(log.snapshots.at(-1), mark(9));
    assert.deepEqual(log.metadata, metadata);
    assert.deepEqual(indexes(log), [10]);
  });
});
