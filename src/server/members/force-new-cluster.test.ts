import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type MemberId, noMember, type RaftIndex, type Term } from "../../lib/ids.ts";
import { type Entry, EntryType, emptyConfState } from "../../lib/raft-entry.ts";
import { ConfChangeType } from "../../membership/cluster.ts";
import { memberToJson, utf8 } from "../../membership/member.ts";
import { decodeConfChange, encodeConfChange } from "../../raft/confchange/wire.ts";
import { forceNewCluster } from "./force-new-cluster.ts";

const me = 1n as MemberId;
const term = 7 as Term;

const normal = (index: number): Entry => ({
  type: EntryType.normal,
  term,
  index: index as RaftIndex,
  data: Uint8Array.of(index),
});

function change(index: number, type: 0 | 1 | 3, nodeId: bigint, isPromote = false): Entry {
  const member = { id: nodeId as MemberId, peerUrls: [], isLearner: type === 3, name: "", clientUrls: [] };
  const context = type === 1 ? new Uint8Array(0) : utf8(memberToJson(member, isPromote));
  const data = encodeConfChange({ id: 0n, type, nodeId: nodeId as MemberId, context });
  return { type: EntryType.confChange, term, index: index as RaftIndex, data };
}

const changesOf = (entries: readonly Entry[]) =>
  entries.map(({ index, data }) => {
    const { type, nodeId } = decodeConfChange(data);
    return [index, type, nodeId];
  });

function force(given: {
  voters?: bigint[];
  learners?: bigint[];
  applied?: number;
  commit?: number;
  entries?: Entry[];
}) {
  const { voters = [1n, 2n, 3n], learners = [], applied = 10, commit = 12, entries = [] } = given;
  return forceNewCluster({
    localId: me,
    applied: applied as RaftIndex,
    confState: {
      ...emptyConfState,
      voters: voters as MemberId[],
      learners: learners as MemberId[],
    },
    hardState: { term, vote: noMember, commit: commit as RaftIndex },
    entries,
  });
}

describe("a cluster that is made of one member", () => {
  it("keeps what was committed, drops the rest, and has the others removed", () => {
    const { entries, added, hardState, droppedCount } = force({ entries: [11, 12, 13, 14].map(normal) });
    assert.deepEqual(
      entries.map(({ index }) => index),
      [11, 12, 13, 14],
    );
    assert.deepEqual(changesOf(added), [
      [13, ConfChangeType.removeNode, 2n],
      [14, ConfChangeType.removeNode, 3n],
    ]);
    assert.deepEqual(hardState, { term, vote: noMember, commit: 14 });
    assert.equal(droppedCount, 2);
  });

  it("counts what was applied as committed, whatever the log says", () => {
    const { added, hardState } = force({ applied: 20, commit: 12 });
    assert.deepEqual(
      added.map(({ index }) => index),
      [21, 22],
    );
    assert.equal(hardState.commit, 22);
  });

  it("goes by the members after the committed entries", () => {
    const entries = [change(11, 0, 4n), change(12, 1, 2n), change(13, 1, 3n)];
    assert.deepEqual(changesOf(force({ entries }).added), [
      [13, ConfChangeType.removeNode, 3n],
      [14, ConfChangeType.removeNode, 4n],
    ]);
  });

  it("makes a voter of a member that was a learner, or was removed, before the others go", () => {
    const learner = force({ voters: [2n], learners: [1n] }).added;
    assert.deepEqual(changesOf(learner), [
      [13, ConfChangeType.addNode, 1n],
      [14, ConfChangeType.removeNode, 2n],
    ]);
    assert.match(new TextDecoder().decode(decodeConfChange(learner[0]!.data).context), /"isPromote":true/);
    const removed = force({ voters: [2n] }).added;
    assert.deepEqual(changesOf(removed)[0], [13, ConfChangeType.addNode, 1n]);
    assert.match(new TextDecoder().decode(decodeConfChange(removed[0]!.data).context), /localhost:2380/);
  });

  it("changes nothing that is so already", () => {
    assert.deepEqual(force({ voters: [1n] }).added, []);
  });
});
