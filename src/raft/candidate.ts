/**
 * A candidate, or one that only asks (pre-candidate): counts the answers to its own question, and gives way to
 * whoever leads its term (Raft paper, 5.2).
 */
import { type Message, MessageType } from "../lib/raft-message.ts";
import { countVote } from "./election.ts";
import { stepFollower } from "./follower/follower.ts";
import { holdProposal } from "./held-proposals.ts";
import type { Raft } from "./raft.ts";
import { becomeFollower } from "./roles.ts";

export function stepCandidate(raft: Raft, message: Message): void {
  switch (message.type) {
    case MessageType.app:
    case MessageType.heartbeat:
    case MessageType.snap:
      becomeFollower(raft, raft.term, message.from);
      stepFollower(raft, message);
      break;
    case MessageType.voteResp:
      if (raft.role === "candidate") countVote(raft, message.from, !message.reject);
      break;
    case MessageType.preVoteResp:
      // Answers to the pre-vote that preceded this candidacy may still come in; they count no more.
      if (raft.role === "preCandidate") countVote(raft, message.from, !message.reject);
      break;
    case MessageType.prop:
      holdProposal(raft, message);
      break;
    // Reads have nobody to go to, and are asked again.
  }
}
