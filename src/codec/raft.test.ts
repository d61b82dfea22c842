/** What members send and store: read and written as the generated code does. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, isFieldSet, toBinary } from "@bufbuild/protobuf";
import * as raftpb from "../gen/raftpb/raft_pb.ts";
import type { MemberId, RaftIndex, Term } from "../lib/ids.ts";
import { type ConfState, type Entry, EntryType, type SnapshotMark } from "../lib/raft-entry.ts";
import { type Message, MessageType, makeMessage } from "../lib/raft-message.ts";
import { DecodeError } from "./protowire-read.ts";
import {
  decodeConfState,
  decodeEntry,
  decodeHardState,
  decodeSnapshot,
  decodeSnapshotMark,
  encodeConfState,
  encodeEntry,
  encodeHardState,
  encodeSnapshot,
  encodeSnapshotMark,
} from "./raft-log.ts";
import { decodeMessage, encodeMessage, messageSize } from "./raft-message.ts";
import { forSeeds, randomMessage } from "./testing/random-message.ts";

const none = new Uint8Array(0);

function plainEntry(entry: raftpb.Entry): Entry {
  return {
    type: entry.Type as EntryType,
    term: Number(entry.Term) as Term,
    index: Number(entry.Index) as RaftIndex,
    data: entry.Data,
  };
}

function plainConfState(conf: raftpb.ConfState | undefined): ConfState {
  return {
    voters: (conf?.voters ?? []) as MemberId[],
    learners: (conf?.learners ?? []) as MemberId[],
    votersOutgoing: (conf?.votersOutgoing ?? []) as MemberId[],
    learnersNext: (conf?.learnersNext ?? []) as MemberId[],
    autoLeave: conf?.autoLeave ?? false,
  };
}

function plainMark(metadata: raftpb.SnapshotMetadata | undefined): SnapshotMark {
  return {
    index: Number(metadata?.index ?? 0n) as RaftIndex,
    term: Number(metadata?.term ?? 0n) as Term,
    confState: plainConfState(metadata?.confState),
  };
}

function plainMessage(message: raftpb.Message): Message {
  const { snapshot } = message;
  return {
    type: message.type as MessageType,
    to: message.to as MemberId,
    from: message.from as MemberId,
    term: Number(message.term) as Term,
    logTerm: Number(message.logTerm) as Term,
    index: Number(message.index) as RaftIndex,
    entries: message.entries.map(plainEntry),
    commit: Number(message.commit) as RaftIndex,
    vote: message.vote as MemberId,
    snapshot: snapshot && { data: snapshot.data, metadata: plainMark(snapshot.metadata) },
    reject: message.reject,
    rejectHint: Number(message.rejectHint) as RaftIndex,
    context: message.context,
  };
}

const options = { wide: false, depth: 4 };

describe("raftpb", () => {
  it("reads what others write, and writes it so that they read the same", () =>
    forSeeds(400, (random) => {
      const entry = randomMessage(random, raftpb.EntrySchema, options);
      assert.deepEqual(decodeEntry(toBinary(raftpb.EntrySchema, entry)), plainEntry(entry));
      assert.deepEqual(
        plainEntry(fromBinary(raftpb.EntrySchema, encodeEntry(plainEntry(entry)))),
        plainEntry(entry),
      );
      const conf = randomMessage(random, raftpb.ConfStateSchema, { ...options, wide: true });
      assert.deepEqual(decodeConfState(toBinary(raftpb.ConfStateSchema, conf)), plainConfState(conf));
      assert.deepEqual(decodeConfState(encodeConfState(plainConfState(conf))), plainConfState(conf));

      const metadata = randomMessage(random, raftpb.SnapshotMetadataSchema, options);
      const mark = plainMark(metadata);
      assert.deepEqual(decodeSnapshotMark(toBinary(raftpb.SnapshotMetadataSchema, metadata)), mark);
      assert.deepEqual(plainMark(fromBinary(raftpb.SnapshotMetadataSchema, encodeSnapshotMark(mark))), mark);

      const message = randomMessage(random, raftpb.MessageSchema, options);
      assert.deepEqual(decodeMessage(toBinary(raftpb.MessageSchema, message)), plainMessage(message));
      const encoded = encodeMessage(plainMessage(message));
      assert.equal(encoded.length, messageSize(plainMessage(message)));
      assert.deepEqual(plainMessage(fromBinary(raftpb.MessageSchema, encoded)), plainMessage(message));
      assert.deepEqual(decodeMessage(encoded), plainMessage(message));
    }));

  it("keeps hard states and snapshots", () =>
    forSeeds(400, (random) => {
      const state = randomMessage(random, raftpb.HardStateSchema, options);
      const plain = {
        term: Number(state.term) as Term,
        vote: random.pick([state.vote, 2n ** 64n - 1n]) as MemberId,
        commit: Number(state.commit) as RaftIndex,
      };
      assert.deepEqual(decodeHardState(encodeHardState(plain)), plain);
      const generated = fromBinary(raftpb.HardStateSchema, encodeHardState(plain));
      assert.deepEqual([generated.vote, Number(generated.term)], [plain.vote, plain.term]);
      const snapshot = randomMessage(random, raftpb.SnapshotSchema, options);
      const whole = { data: snapshot.data, metadata: plainMark(snapshot.metadata) };
      assert.deepEqual(decodeSnapshot(toBinary(raftpb.SnapshotSchema, snapshot)), whole);
      assert.deepEqual(decodeSnapshot(encodeSnapshot(whole)), whole);
    }));

  it("writes scalars that are zero, as etcd's members set them all", () => {
    const entry = { type: EntryType.normal, term: 0 as Term, index: 0 as RaftIndex, data: none };
    assert.deepEqual([...encodeEntry(entry)], [0x08, 0, 0x10, 0, 0x18, 0]);
    const state = { term: 0 as Term, vote: 0n as MemberId, commit: 0 as RaftIndex };
    assert.deepEqual([...encodeHardState(state)], [0x08, 0, 0x10, 0, 0x18, 0]);
    const { field } = raftpb.MessageSchema;
    const heartbeat = fromBinary(
      raftpb.MessageSchema,
      encodeMessage(makeMessage({ type: MessageType.heartbeat })),
    );
    for (const name of ["type", "to", "from", "term", "logTerm", "index", "commit", "reject", "rejectHint"]) {
      assert.ok(isFieldSet(heartbeat, field[name as "type"]), name);
    }
    for (const name of ["vote", "snapshot", "context"]) {
      assert.ok(!isFieldSet(heartbeat, field[name as "vote"]), name);
    }
  });

  it("takes lists of members packed or not", () => {
    const packed = Uint8Array.of(0x0a, 3, 1, 0x80, 1, 0x08, 5, 0x20, 7, 0x28, 1);
    assert.deepEqual(decodeConfState(packed), {
      voters: [1n, 128n, 5n],
      learners: [],
      votersOutgoing: [],
      learnersNext: [7n],
      autoLeave: true,
    });
  });

  it("refuses numbers that a double cannot hold, and types that nobody knows", () => {
    const huge = create(raftpb.EntrySchema, { Index: 2n ** 53n });
    assert.throws(() => decodeEntry(toBinary(raftpb.EntrySchema, huge)), DecodeError);
    const message = create(raftpb.MessageSchema, { commit: 2n ** 64n - 1n });
    assert.throws(() => decodeMessage(toBinary(raftpb.MessageSchema, message)), DecodeError);
    assert.throws(() => decodeEntry(Uint8Array.of(0x08, 3)), /unknown entry type/);
    assert.throws(() => decodeMessage(Uint8Array.of(0x08, 24)), /unknown message type/);
  });
});
