/**
 * New entries (Raft paper, 5.3: the leader appends to its log, then replicates).
 */
import { noMember, type RaftIndex } from "../../lib/ids.ts";
import { type Entry, EntryType } from "../../lib/raft-entry.ts";
import { type Message, noBytes } from "../../lib/raft-message.ts";
import { leavesJoint } from "../confchange/types.ts";
import { confChangeOf } from "../confchange/wire.ts";
import { holdProposal } from "../held-proposals.ts";
import type { Raft } from "../raft.ts";

/** Why a proposal was not taken. None of it was then. */
export type ProposeRefusal =
  /** There is no leader, or this member does not know it. */
  | "no leader"
  /** This member is a follower and `disableProposalForwarding` is set. */
  | "not the leader"
  /** The leader was removed from the cluster. */
  | "removed"
  /** Leadership is being handed over. */
  | "transferring"
  /** `maxUncommittedBytes` would be exceeded. */
  | "too many uncommitted bytes"
  /** A configuration change is under way, or this one does not fit the configuration. */
  | "conf change not possible now";

/** Appends a batch to the leader's log, all of it or nothing. Sets the entries' terms and indexes. */
export function appendProposals(raft: Raft, entries: readonly Entry[]): ProposeRefusal | undefined {
  const refusal = refuses(raft);
  if (refusal !== undefined) return refusal;
  const { log, term } = raft;
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length;
  // Empty entries are never refused, and nothing is while all is committed: otherwise one large entry never could.
  const { uncommittedBytes } = raft;
  if (uncommittedBytes > 0 && bytes > 0 && uncommittedBytes + bytes > raft.config.maxUncommittedBytes) {
    return "too many uncommitted bytes";
  }
  let index = log.last as number;
  for (const entry of entries) {
    entry.term = term;
    entry.index = ++index as RaftIndex;
    if (entry.type === EntryType.normal) log.append(entry);
    else appendConfChange(raft, entry);
  }
  raft.uncommittedBytes += bytes;
  raft.appendsOwed = true;
  return undefined;
}

/** Entries that a follower passed on. A refusal is silent: who proposed has a timeout. */
export function proposeForwarded(raft: Raft, message: Message): void {
  // Copies, because the message belongs to its sender and may even come twice.
  const entries = message.entries.map((entry) => ({ ...entry }));
  const refusal = appendProposals(raft, entries);
  if (refusal === "transferring" || refusal === "removed") holdProposal(raft, message);
}

/**
 * Why a configuration change cannot be made now; undefined if it can. Only one may be under way (4.1), and since
 * changes count from when they are applied, "under way" ends with that.
 */
export function refusesConfChange(raft: Raft, entry: Entry): string | undefined {
  const change = confChangeOf(entry);
  if (change === undefined) return undefined;
  const { log, pendingConfIndex, tracker } = raft;
  if (pendingConfIndex > log.applied) {
    return `possible unapplied conf change at index ${pendingConfIndex} (applied to ${log.applied})`;
  }
  const leave = leavesJoint(change);
  if (tracker.isJoint && !leave) return "must transition out of joint config first";
  if (!tracker.isJoint && leave) return "not in joint state; refusing empty conf change";
  return undefined;
}

function refuses(raft: Raft): ProposeRefusal | undefined {
  if (!raft.tracker.progress.has(raft.id)) return "removed";
  if (raft.leadTransferee !== noMember) return "transferring";
  return undefined;
}

/** A change that is not possible becomes an empty entry, so that the rest of its batch keeps its place. */
function appendConfChange(raft: Raft, entry: Entry): void {
  const { log } = raft;
  const problem = refusesConfChange(raft, entry);
  if (problem === undefined) {
    log.append(entry);
    raft.pendingConfIndex = entry.index;
    return;
  }
  raft.config.logger.info(`${raft.name} ignoring conf change: ${problem}`);
  log.append({ type: EntryType.normal, term: entry.term, index: entry.index, data: noBytes });
}
