/**
 * Handing leadership over (dissertation 3.10): no new proposals, the target's log is brought up to date, and then it
 * is told to start an election at once.
 */
import { type MemberId, noMember } from "../../lib/ids.ts";
import { MessageType } from "../../lib/raft-message.ts";
import type { Raft } from "../raft.ts";
import type { Progress } from "../tracker/progress.ts";

export function transferLeader(raft: Raft, target: MemberId, progress: Progress): void {
  if (progress.isLearner) return;
  if (raft.leadTransferee === target) return;
  raft.leadTransferee = noMember;
  if (target === raft.id) return;
  raft.config.logger.info(
    `${raft.name} [term ${raft.term}] starts to transfer leadership to ${target.toString(16)}`,
  );
  // It has one election timeout; after that this member goes on leading (see tick.ts).
  raft.electionElapsed = 0;
  raft.leadTransferee = target;
  progress.appendOwed = true;
  raft.appendsOwed = true;
  finishTransfer(raft, target, progress);
}

/** Tells the target to go ahead once it has the whole log. */
export function finishTransfer(raft: Raft, from: MemberId, progress: Progress): void {
  if (from === raft.leadTransferee && progress.match === raft.log.last) tellToTakeOver(raft, from);
}

export function tellToTakeOver(raft: Raft, id: MemberId): void {
  raft.transferAttempted = true;
  raft.send({ type: MessageType.timeoutNow, to: id });
}

/** A voter with the whole log that was heard from lately; another one each time, if there are several. */
export function bestSuccessor(raft: Raft): MemberId | undefined {
  const { progress } = raft.tracker;
  const fit = raft.tracker.config.voters.filter((id) => {
    const known = progress.get(id);
    return id !== raft.id && known?.recentActive === true && known.match === raft.log.last;
  });
  return fit[raft.ticks % Math.max(1, fit.length)];
}
