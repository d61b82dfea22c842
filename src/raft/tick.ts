/**
 * The passing of time, in ticks.
 */
import { noMember } from "../lib/ids.ts";
import { hup } from "./election.ts";
import { broadcastHeartbeat } from "./leader/replicate.ts";
import { bestSuccessor, tellToTakeOver } from "./leader/transfer.ts";
import type { Raft } from "./raft.ts";
import { releaseProposals } from "./release-proposals.ts";
import { becomeFollower } from "./roles.ts";

export function tick(raft: Raft): void {
  raft.ticks++;
  if (raft.promisedTicks > 0) raft.promisedTicks--;
  if (raft.role === "leader") tickLeader(raft);
  else tickElection(raft);
  // A transfer may have been given up.
  releaseProposals(raft);
}

/** No leader was heard from for a whole timeout: time for an election (Raft paper, 5.2). */
function tickElection(raft: Raft): void {
  raft.electionElapsed++;
  if (!raft.promotable || raft.electionElapsed < raft.randomizedElectionTicks) return;
  raft.electionElapsed = 0;
  hup(raft, raft.config.preVote ? "preElection" : "election");
}

function tickLeader(raft: Raft): void {
  raft.heartbeatElapsed++;
  raft.electionElapsed++;
  if (raft.electionElapsed >= raft.config.electionTicks) {
    raft.electionElapsed = 0;
    if (raft.config.checkQuorum && !checkQuorum(raft)) return;
    // A transfer that took this long has failed; proposals are taken again (dissertation 3.10).
    raft.leadTransferee = noMember;
  }
  if (raft.leavingTicks > 0 && !leave(raft)) return;
  if (raft.heartbeatElapsed >= raft.config.heartbeatTicks) {
    raft.heartbeatElapsed = 0;
    broadcastHeartbeat(raft);
  }
}

/** A leader that has not heard from a quorum for an election timeout steps down (dissertation 6.2). */
function checkQuorum(raft: Raft): boolean {
  if (!raft.tracker.quorumActive()) {
    raft.config.logger.warn(`${raft.name} stepped down to follower since quorum is not active`);
    becomeFollower(raft, raft.term, noMember);
    return false;
  }
  for (const [id, progress] of raft.tracker.progress) progress.recentActive = id === raft.id;
  return true;
}

/**
 * A leader that was removed (dissertation 4.2.2) does not just fall silent: those it leaves behind may not know yet
 * that it is gone for good, and may need more votes than they can get while they do not. So it goes on telling them
 * what is committed, and asks one after the other to take over. False when it has given up leading.
 */
function leave(raft: Raft): boolean {
  raft.leavingTicks--;
  if (raft.leavingTicks === 0) {
    becomeFollower(raft, raft.term, noMember);
    return false;
  }
  const successor = bestSuccessor(raft);
  if (successor === undefined) return true;
  tellToTakeOver(raft, successor);
  // Nobody will tell this member who leads next, so what waits goes where the next leader should be.
  for (const message of raft.heldProposals.takeAll(raft.ticks)) raft.forwardTo(successor, message);
  return true;
}
