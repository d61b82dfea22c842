/**
 * Joint consensus (Raft paper, section 6; dissertation 4.3): a decision needs a majority of both configurations. A
 * plain configuration is a joint one whose outgoing half is empty.
 */
import type { MemberId } from "../../lib/ids.ts";
import { majorityIndex, majorityVote, type VoteResult } from "./majority.ts";

/** The two halves of a configuration. ConfState has this shape. */
export interface JointVoters {
  readonly voters: readonly MemberId[];
  readonly votersOutgoing: readonly MemberId[];
}

/** The largest index acknowledged by a majority of both halves. */
export function jointIndex(config: JointVoters, acked: (id: MemberId) => number): number {
  const incoming = majorityIndex(config.voters, acked);
  if (config.votersOutgoing.length === 0) return incoming;
  return Math.min(incoming, majorityIndex(config.votersOutgoing, acked));
}

/** Lost when either half is lost, won when both are won. */
export function jointVote(config: JointVoters, vote: (id: MemberId) => boolean | undefined): VoteResult {
  const incoming = majorityVote(config.voters, vote);
  if (config.votersOutgoing.length === 0) return incoming;
  const outgoing = majorityVote(config.votersOutgoing, vote);
  if (incoming === outgoing) return incoming;
  return incoming === "lost" || outgoing === "lost" ? "lost" : "pending";
}
