/**
 * `--force-new-cluster`: makes a member the only one of its cluster, with all the data it has. What was not committed is
 * dropped; then entries that remove all other members are written as if a leader had.
 */
import type { MemberId, RaftIndex } from "../../lib/ids.ts";
import { noMember } from "../../lib/ids.ts";
import { type ConfState, type Entry, EntryType, type HardState } from "../../lib/raft-entry.ts";
import { ConfChangeType } from "../../membership/cluster.ts";
import { memberFromJson, memberToJson, utf8 } from "../../membership/member.ts";
import { decodeConfChange, encodeConfChange } from "../../raft/confchange/wire.ts";
import { firstTerm } from "./founding-members.ts";

export interface ForcedStart {
  readonly localId: MemberId;
  readonly applied: RaftIndex;
  /** At `applied`. */
  readonly confState: ConfState;
  readonly hardState: HardState | undefined;
  /** After `applied`. */
  readonly entries: readonly Entry[];
}

/** What the log must hold after `applied`, with its hard state. `added` has to be written. */
export function forceNewCluster(start: ForcedStart): {
  readonly entries: Entry[];
  readonly added: Entry[];
  readonly hardState: HardState;
  readonly droppedCount: number;
} {
  const { localId, applied, hardState } = start;
  // The commit index on disk may lag behind what was applied.
  const commit = Math.max(hardState?.commit ?? 0, applied);
  const kept = start.entries.filter(({ index }) => index <= commit);
  const { voters, learners } = membersAfter(start.confState, kept);
  const term = hardState?.term ?? firstTerm;
  const changes = [];
  const promotion = { id: localId, peerUrls: [], isLearner: false, name: "", clientUrls: [] };
  if (learners.has(localId)) {
    const context = utf8(memberToJson(promotion, true));
    changes.push({ id: 0n, type: ConfChangeType.addNode, nodeId: localId, context });
  } else if (!voters.has(localId)) {
    const context = utf8(memberToJson({ ...promotion, peerUrls: ["http://localhost:2380"] }));
    changes.push({ id: 0n, type: ConfChangeType.addNode, nodeId: localId, context });
  }
  for (const nodeId of [...voters, ...learners]) {
    if (nodeId === localId) continue;
    changes.push({ id: 0n, type: ConfChangeType.removeNode, nodeId, context: new Uint8Array(0) });
  }
  const added = changes.map(
    (change, i): Entry => ({
      type: EntryType.confChange,
      term,
      index: (commit + 1 + i) as RaftIndex,
      data: encodeConfChange(change),
    }),
  );
  return {
    entries: [...kept, ...added],
    added,
    hardState: { term, vote: hardState?.vote ?? noMember, commit: (commit + added.length) as RaftIndex },
    droppedCount: start.entries.length - kept.length,
  };
}

/** Who is a member once the entries are applied, as far as can be told without applying them. */
function membersAfter(confState: ConfState, entries: readonly Entry[]) {
  const voters = new Set([...confState.voters, ...confState.votersOutgoing]);
  const learners = new Set([...confState.learners, ...confState.learnersNext]);
  for (const entry of entries) {
    if (entry.type !== EntryType.confChange) continue;
    const { type, nodeId, context } = decodeConfChange(entry.data);
    if (type === ConfChangeType.removeNode) {
      voters.delete(nodeId);
      learners.delete(nodeId);
    } else if (type === ConfChangeType.addLearnerNode) {
      if (!voters.has(nodeId)) learners.add(nodeId);
    } else if (type === ConfChangeType.addNode) {
      const json = new TextDecoder().decode(context);
      if (learners.has(nodeId) && !memberFromJson(nodeId, json).isPromote) continue;
      learners.delete(nodeId);
      voters.add(nodeId);
    }
  }
  return { voters, learners };
}
