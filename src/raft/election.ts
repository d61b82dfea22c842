/**
 * Elections (Raft paper, 5.2 and 5.4.1; dissertation 3.10, 4.2.3 and 9.6).
 */
import { noMember, type Term } from "../lib/ids.ts";
import { EntryType } from "../lib/raft-entry.ts";
import { type Message, MessageType } from "../lib/raft-message.ts";
import type { Raft } from "./raft.ts";
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from "./roles.ts";

/** In a vote request's context: leadership was handed over, so leases do not hold it up. etcd's word. */
export const transferContext = Uint8Array.from([..."CampaignTransfer"], (letter) => letter.charCodeAt(0));

export type CampaignKind = "preElection" | "election" | "transfer";

/** Starts an election if this member may stand for one. */
export function hup(raft: Raft, kind: CampaignKind): void {
  const { logger } = raft.config;
  if (raft.role === "leader") return;
  if (!raft.promotable) {
    logger.warn(`${raft.name} is unpromotable and can not campaign`);
    return;
  }
  // With a committed change not yet applied it would count votes by a configuration that is no longer in force.
  if (hasUnappliedConfChange(raft)) {
    logger.warn(
      `${raft.name} cannot campaign at term ${raft.term} with configuration changes still to apply`,
    );
    return;
  }
  // To vote for itself would break the promise it gave to the leader whose lease still runs.
  if (kind !== "transfer" && raft.promisedTicks > 0) return;
  logger.info(`${raft.name} is starting a new election at term ${raft.term}`);
  campaign(raft, kind);
}

function hasUnappliedConfChange(raft: Raft): boolean {
  for (const entry of raft.log.committedAfter(Math.max(raft.log.applied, raft.confIndex))) {
    if (entry.type !== EntryType.normal) return true;
  }
  return false;
}

function campaign(raft: Raft, kind: CampaignKind): void {
  const pre = kind === "preElection";
  if (pre) becomePreCandidate(raft);
  else becomeCandidate(raft);
  // A pre-vote is asked for in the term that the election would have.
  const term = (pre ? raft.term + 1 : raft.term) as Term;
  const { log, tracker } = raft;
  for (const id of tracker.voterIds()) {
    if (id === raft.id) continue;
    raft.send({
      type: pre ? MessageType.preVote : MessageType.vote,
      to: id,
      term,
      index: log.last,
      logTerm: log.lastTerm,
      ...(kind === "transfer" ? { context: transferContext } : {}),
    });
  }
  if (pre || tracker.size === 1) {
    // A pre-vote binds nobody. And where there is nobody else, term, vote and first entry reach the disk together
    // before anything of them is seen outside, so a sole member need not wait for its own vote.
    countVote(raft, raft.id, true);
  } else {
    raft.send({ type: MessageType.voteResp, to: raft.id });
  }
}

/** An answer to this member's campaign, and what it decides. */
export function countVote(raft: Raft, from: Message["from"], granted: boolean): void {
  const result = raft.tracker.recordVote(from, granted);
  if (result === "won") {
    if (raft.role === "preCandidate") campaign(raft, "election");
    else becomeLeader(raft);
  } else if (result === "lost") {
    becomeFollower(raft, raft.term, noMember);
  }
}

/**
 * Whether a request for a vote is ignored because a leader was heard from within the shortest election timeout
 * (4.2.3). This is what keeps removed members from disturbing, and leases true.
 */
export function holdsLease(raft: Raft): boolean {
  const { checkQuorum, electionTicks } = raft.config;
  if (raft.promisedTicks > 0) return true;
  return checkQuorum && raft.leader !== noMember && raft.electionElapsed < electionTicks;
}

/** A request for a vote or a pre-vote, with a term not below this member's. */
export function handleVoteRequest(raft: Raft, message: Message): void {
  const pre = message.type === MessageType.preVote;
  const free =
    raft.vote === message.from ||
    (raft.vote === noMember && raft.leader === noMember) ||
    (pre && message.term > raft.term);
  // Learners vote too when they are asked: one may have been promoted without knowing it yet, and its vote may be
  // needed to elect the only leader that can tell it.
  const granted = free && raft.log.isUpToDate(message.logTerm, message.index);
  if (granted && !pre) {
    raft.electionElapsed = 0;
    raft.castVote(message.from);
  }
  raft.config.logger.debug(
    `${raft.name} ${granted ? "grants" : "refuses"} ${pre ? "pre-vote" : "vote"} for ` +
      `${message.from.toString(16)} at term ${message.term}`,
  );
  if (!granted) {
    rejectVote(raft, message);
    return;
  }
  const type = pre ? MessageType.preVoteResp : MessageType.voteResp;
  // A granted pre-vote answers in the term that was asked about: the candidate is not in it yet, and would ignore an
  // answer from an older term.
  raft.send({ type, to: message.from, term: message.term });
}

/**
 * A refusal tells the candidate what is committed (etcd's members leave these fields empty, and ignore them). It may
 * be what the candidate needs most: if it does not know that the change that removed its voters is committed, it asks
 * for votes that it does not need, from members with longer logs, who cannot stand for election themselves.
 */
export function rejectVote(raft: Raft, { type, from }: Message): void {
  const { log } = raft;
  raft.send({
    type: type === MessageType.preVote ? MessageType.preVoteResp : MessageType.voteResp,
    to: from,
    reject: true,
    commit: log.committed,
    logTerm: log.term(log.committed)!,
  });
}

/** What is committed anywhere is committed here too, if the logs match there (5.3). */
export function learnCommit(raft: Raft, { commit, logTerm }: Message): void {
  if (commit > raft.log.committed && raft.log.matches(commit, logTerm)) raft.log.commitTo(commit);
}
