/**
 * Every message goes through here: first the rules about terms that hold in all roles (Raft paper, 5.1), then what
 * the role does with it.
 */
import { type MemberId, noMember } from "../lib/ids.ts";
import { type Message, MessageType, noBytes } from "../lib/raft-message.ts";
import { stepCandidate } from "./candidate.ts";
import { handleVoteRequest, holdsLease, learnCommit, rejectVote, transferContext } from "./election.ts";
import { stepFollower } from "./follower/follower.ts";
import { stepLeader } from "./leader/leader.ts";
import type { Raft } from "./raft.ts";
import { releaseProposals } from "./release-proposals.ts";
import { becomeFollower } from "./roles.ts";

/** Handles a message from another member (or this member's own vote). */
export function step(raft: Raft, message: Message): void {
  if (message.term > raft.term) {
    if (!meetHigherTerm(raft, message)) return;
  } else if (message.term !== 0 && message.term < raft.term) {
    meetLowerTerm(raft, message);
    return;
  }
  if (message.type === MessageType.vote || message.type === MessageType.preVote) {
    handleVoteRequest(raft, message);
    return;
  }
  const answersVote = message.type === MessageType.voteResp || message.type === MessageType.preVoteResp;
  if (answersVote && message.reject && raft.role !== "leader") learnCommit(raft, message);
  switch (raft.role) {
    case "leader":
      stepLeader(raft, message);
      break;
    case "follower":
      stepFollower(raft, message);
      break;
    default:
      stepCandidate(raft, message);
  }
  releaseProposals(raft);
}

/** Only who leads a term sends these. */
export function isFromLeader(type: MessageType): boolean {
  return type === MessageType.app || type === MessageType.heartbeat || type === MessageType.snap;
}

/** Takes over a higher term, where the message calls for it. False if the message is to be ignored. */
function meetHigherTerm(raft: Raft, message: Message): boolean {
  const { type } = message;
  const asksForVote = type === MessageType.vote || type === MessageType.preVote;
  if (asksForVote && holdsLease(raft) && !sameBytes(message.context, transferContext)) return false;
  if (type === MessageType.preVote) return true;
  // Granted: the term is the one to come, and this member enters it only when it has won a quorum.
  if (type === MessageType.preVoteResp && !message.reject) return true;
  const leader: MemberId = isFromLeader(type) ? message.from : noMember;
  becomeFollower(raft, message.term, leader);
  return true;
}

/** A message from an older term has no authority; at most its sender is told. */
function meetLowerTerm(raft: Raft, message: Message): void {
  const { checkQuorum, preVote } = raft.config;
  const { type, from } = message;
  if ((checkQuorum || preVote) && (type === MessageType.heartbeat || type === MessageType.app)) {
    // Perhaps only late. But if this member went ahead in terms while it was cut off, its vote requests are ignored
    // and the leader's messages are ignored here: without an answer neither would ever move.
    raft.send({ type: MessageType.appResp, to: from });
  } else if (type === MessageType.preVote) {
    // A candidate that lags must learn the term, or a member with a longer log and one with a higher term could wait
    // for each other.
    rejectVote(raft, message);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === noBytes || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
