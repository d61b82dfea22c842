/**
 * What a majority of a set of voters agrees on (Raft paper, section 5.2 for votes and 5.3 for entries).
 */
import type { MemberId } from "../../lib/ids.ts";

/** How an election stands. */
export type VoteResult = "won" | "lost" | "pending";

/**
 * The largest index that a majority of `voters` has acknowledged. `acked` gives what one voter acknowledged, 0 if
 * nothing. No voters at all put no bound on it: Infinity, which makes a joint quorum behave as its other half.
 */
export function majorityIndex(voters: readonly MemberId[], acked: (id: MemberId) => number): number {
  const count = voters.length;
  if (count === 0) return Number.POSITIVE_INFINITY;
  if (count === 1) return acked(voters[0]!);
  const sorted: number[] = [];
  for (const id of voters) {
    const index = acked(id);
    let at = sorted.length;
    while (at > 0 && sorted[at - 1]! > index) at--;
    sorted.splice(at, 0, index);
  }
  // Ascending: from this position on there are floor(count / 2) + 1 voters.
  return sorted[count - (Math.floor(count / 2) + 1)]!;
}

/** The result of a vote among `voters`; `vote` says undefined for who has not answered. Nobody to ask is a win. */
export function majorityVote(
  voters: readonly MemberId[],
  vote: (id: MemberId) => boolean | undefined,
): VoteResult {
  if (voters.length === 0) return "won";
  let granted = 0;
  let missing = 0;
  for (const id of voters) {
    const answer = vote(id);
    if (answer === true) granted++;
    else if (answer === undefined) missing++;
  }
  const needed = Math.floor(voters.length / 2) + 1;
  if (granted >= needed) return "won";
  return granted + missing >= needed ? "pending" : "lost";
}
