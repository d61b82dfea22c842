/**
 * A configuration change takes effect when it is applied (dissertation 4.1 lets it begin when it is appended; etcd
 * waits until it is committed and applied, which is as safe because only one may be under way).
 */
import { noMember } from "../lib/ids.ts";
import { type ConfState, EntryType } from "../lib/raft-entry.ts";
import { noBytes } from "../lib/raft-message.ts";
import { maybeCommit } from "./commit.ts";
import { applyChange } from "./confchange/changer.ts";
import type { ConfChange, ConfChangeV2 } from "./confchange/types.ts";
import { appendProposals } from "./leader/propose.ts";
import type { Raft } from "./raft.ts";
import { becomeFollower } from "./roles.ts";

/** Puts the configuration after `change` in force. Throws ConfChangeError if it does not fit. */
export function applyConfChange(raft: Raft, change: ConfChange | ConfChangeV2): ConfState {
  const { tracker, log } = raft;
  const config = applyChange(tracker.config, change);
  tracker.reconfigure(config, log.last);
  raft.config.logger.info(`${raft.name} switched to configuration ${describeConfig(config)}`);
  // Votes were asked for under another configuration, in which this member may no longer stand for election.
  if (raft.role === "candidate" || raft.role === "preCandidate") becomeFollower(raft, raft.term, noMember);
  if (raft.role !== "leader") return config;
  const self = tracker.progress.get(raft.id);
  const leaves = (self === undefined || self.isLearner) && raft.config.stepDownOnRemoval;
  raft.leavingTicks = leaves ? raft.config.electionTicks : 0;
  // Fewer members may mean that more is committed; new ones are to be probed without waiting for a heartbeat.
  maybeCommit(raft);
  raft.appendsOwed = true;
  if (raft.leadTransferee !== noMember && !tracker.isVoter(raft.leadTransferee)) {
    raft.leadTransferee = noMember;
  }
  return config;
}

/**
 * Once everything up to the change that made the configuration joint is applied, a leader proposes to leave it, if
 * that was asked for. An empty ConfChangeV2 says so; having no bytes it is never refused for its size. While a
 * transfer is going on it is refused, and tried again with each further applied entry.
 */
export function maybeLeaveJoint(raft: Raft): void {
  if (raft.role !== "leader" || !raft.tracker.config.autoLeave) return;
  if (raft.log.applied < raft.pendingConfIndex) return;
  appendProposals(raft, [
    { type: EntryType.confChangeV2, term: raft.term, index: raft.log.last, data: noBytes },
  ]);
}

/** `voters=(1 2 3)&&(1 2) learners=(4) ...`, for logs and transcripts. */
export function describeConfig(config: ConfState): string {
  const list = (ids: readonly bigint[]): string => `(${ids.map((id) => id.toString(16)).join(" ")})`;
  const outgoing = config.votersOutgoing.length > 0 ? `&&${list(config.votersOutgoing)}` : "";
  const learners = config.learners.length > 0 ? ` learners=${list(config.learners)}` : "";
  const next = config.learnersNext.length > 0 ? ` learners_next=${list(config.learnersNext)}` : "";
  return `voters=${list(config.voters)}${outgoing}${learners}${next}${config.autoLeave ? " autoleave" : ""}`;
}
