import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ConfStateSchema,
  EntrySchema,
  HardStateSchema,
  SnapshotMetadataSchema,
} from "../gen/raftpb/raft_pb.ts";
import type { MemberId, RaftIndex, Term } from "../lib/ids.ts";
import { type ConfState, type Entry, EntryType, emptyConfState, type HardState } from "../lib/raft-entry.ts";
import {
  entryOverheadBytes,
  hardStateRecord,
  metadataRecord,
  positionRecord,
  RecordError,
  RecordKind,
  type RecordSink,
  readRecords,
  snapshotRecord,
  writeEntry,
} from "./records.ts";

const numbers = [0, 1, 127, 128, 16384, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40 + 3, Number.MAX_SAFE_INTEGER];
const ids = [0n, 1n, 127n, 128n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

/** Keeps what it gets, in order. */
class Collected implements RecordSink {
  readonly all: unknown[] = [];
  metadata(metadata: Uint8Array): void {
    this.all.push({ metadata: [...metadata] });
  }
  entry(type: EntryType, term: Term, index: RaftIndex, payload: Uint8Array, from: number, to: number): void {
    this.all.push({ type, term, index, data: [...payload.subarray(from, to)] });
  }
  hardState(state: HardState): void {
    this.all.push(state);
  }
  snapshot(mark: unknown): void {
    this.all.push(mark);
  }
  position(index: RaftIndex, term: Term): void {
    this.all.push({ index, term });
  }
}

function readAll(payload: Uint8Array): unknown[] {
  const sink = new Collected();
  readRecords(payload, sink);
  return sink.all;
}

function entryRecord(entry: Entry): Uint8Array {
  const buffer = new Uint8Array(entryOverheadBytes + entry.data.length);
  return buffer.subarray(0, writeEntry(buffer, 0, entry));
}

/** The body of a record whose length takes one to three bytes. */
function bodyOf(record: Uint8Array): Uint8Array {
  let at = 1;
  while (record[at]! >= 0x80) at++;
  return record.subarray(at + 1);
}

function* entries(): Generator<Entry> {
  for (const type of Object.values(EntryType)) {
    for (const term of numbers) {
      for (const index of numbers) {
        yield { type, term: term as Term, index: index as RaftIndex, data: new Uint8Array(index % 7) };
      }
    }
  }
  for (const length of [0, 1, 31, 32, 33, 127, 128, 300, 16383, 16384, 100_000]) {
    const data = Uint8Array.from({ length }, (_, i) => i & 255);
    yield { type: EntryType.normal, term: 3 as Term, index: 9 as RaftIndex, data };
  }
}

const confStates: ConfState[] = [
  emptyConfState,
  { ...emptyConfState, voters: ids.slice(1) as MemberId[], autoLeave: true },
  {
    voters: [1n] as MemberId[],
    learners: [2n, 300n] as MemberId[],
    votersOutgoing: [2n ** 64n - 1n] as MemberId[],
    learnersNext: [5n] as MemberId[],
    autoLeave: false,
  },
];

describe("records", () => {
  it("have entries as raftpb.Entry, byte for byte as etcd writes them", () => {
    for (const entry of entries()) {
      const { type, term, index, data } = entry;
      const wanted = create(EntrySchema, { Type: type, Term: BigInt(term), Index: BigInt(index) });
      if (data.length > 0) wanted.Data = data;
      const body = bodyOf(entryRecord(entry));
      assert.deepEqual(body, toBinary(EntrySchema, wanted));
      assert.ok(entryRecord(entry).length <= entryOverheadBytes + data.length);
      assert.deepEqual(readAll(entryRecord(entry)), [{ type, term, index, data: [...data] }]);
    }
  });

  it("read an entry with its fields in any order, missing, or unknown", () => {
    const data = Uint8Array.from([0xaa, 0xbb]);
    const body = [0x22, 2, ...data, 0x18, 7, 0x78, 1, 0x10, 5];
    const found = readAll(Uint8Array.from([RecordKind.entry, body.length, ...body]));
    assert.deepEqual(found, [{ type: 0, term: 5, index: 7, data: [0xaa, 0xbb] }]);
    assert.deepEqual(readAll(Uint8Array.from([RecordKind.entry, 0])), [
      { type: 0, term: 0, index: 0, data: [] },
    ]);
  });

  it("have hard states as raftpb.HardState", () => {
    for (const vote of ids) {
      for (const number of numbers) {
        const state = { term: number as Term, vote: vote as MemberId, commit: number as RaftIndex };
        const record = hardStateRecord(state);
        const wanted = create(HardStateSchema, { term: BigInt(number), vote, commit: BigInt(number) });
        assert.deepEqual(bodyOf(record), toBinary(HardStateSchema, wanted));
        assert.deepEqual(readAll(record), [state]);
      }
    }
  });

  it("have snapshot marks as raftpb.SnapshotMetadata", () => {
    for (const confState of confStates) {
      const mark = { index: (2 ** 40) as RaftIndex, term: 130 as Term, confState };
      const record = snapshotRecord(mark);
      const found = fromBinary(SnapshotMetadataSchema, bodyOf(record));
      assert.equal(found.index, 2n ** 40n);
      assert.equal(found.term, 130n);
      const { voters, learners, votersOutgoing, learnersNext, autoLeave } = confState;
      const wanted = create(ConfStateSchema, {
        voters: [...voters],
        learners: [...learners],
        votersOutgoing: [...votersOutgoing],
        learnersNext: [...learnersNext],
        autoLeave,
      });
      assert.deepEqual(toBinary(ConfStateSchema, found.confState!), toBinary(ConfStateSchema, wanted));
      assert.deepEqual(readAll(record), [mark]);
    }
  });

  it("follow one another up to the padding", () => {
    const parts = [
      metadataRecord(Uint8Array.from([1, 2, 3])),
      positionRecord(700 as RaftIndex, 3 as Term),
      entryRecord({ type: 0, term: 1 as Term, index: 2 as RaftIndex, data: new Uint8Array(2) }),
      Uint8Array.from([RecordKind.end, RecordKind.end]),
    ];
    const found = readAll(Uint8Array.from(parts.flatMap((part) => [...part])));
    assert.deepEqual(found, [
      { metadata: [1, 2, 3] },
      { index: 700, term: 3 },
      { type: 0, term: 1, index: 2, data: [0, 0] },
    ]);
  });

  it("that make no sense are refused with their place", () => {
    const good = positionRecord(1 as RaftIndex, 1 as Term);
    const bad: [number[], RegExp][] = [
      [[RecordKind.entry, 9, 0x08], /kind 2/],
      [[RecordKind.entry], /kind 2/],
      [[77, 0], /kind 77 cannot be read .*unknown kind/],
      [[RecordKind.entry, 2, 0x08, 9], /unknown entry type/],
      [[RecordKind.entry, 2, 0x22, 9], /kind 2/],
      [[RecordKind.hardState, 11, 0x18, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], /above 2\^53/],
    ];
    for (const [bytes, message] of bad) {
      assert.throws(
        () => readAll(Uint8Array.from([...good, ...bytes])),
        (error) => error instanceof RecordError && error.at === good.length && message.test(error.message),
        `${bytes}`,
      );
    }
  });
});
