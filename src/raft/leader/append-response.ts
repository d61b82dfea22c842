/**
 * A follower's answer to an append (Raft paper, 5.3).
 */
import type { Message } from "../../lib/raft-message.ts";
import { maybeCommit } from "../commit.ts";
import type { Raft } from "../raft.ts";
import type { Progress } from "../tracker/progress.ts";
import { finishTransfer } from "./transfer.ts";

export function handleAppendResponse(raft: Raft, message: Message, progress: Progress): void {
  progress.recentActive = true;
  if (message.reject) handleRejection(raft, message, progress);
  else handleSuccess(raft, message, progress);
}

/**
 * The logs differ at `message.index`. The follower names a position and its term there (`rejectHint`, `logTerm`).
 * Where this log's term is above that one they cannot match either, because terms in a log only rise: so the next
 * probe goes to the last entry at or before the hint whose term is not above it. With both sides skipping like this
 * there is at most one probe per term, not one per entry.
 */
function handleRejection(raft: Raft, message: Message, progress: Progress): void {
  let next = message.rejectHint;
  if (message.logTerm > 0) next = raft.log.findConflict(next, message.logTerm).index;
  if (!progress.retreat(message.index, next)) return;
  if (progress.state === "replicate") progress.becomeProbe();
  progress.appendOwed = true;
  raft.appendsOwed = true;
}

function handleSuccess(raft: Raft, message: Message, progress: Progress): void {
  const { log } = raft;
  const { index } = message;
  // An answer from beyond this log is from another life of the follower, or of this leader.
  if (index > log.last) return;
  // The second case: a probe for what was known already still shows that streaming can go on.
  if (!progress.acknowledge(index) && !(progress.match === index && progress.state === "probe")) return;
  if (progress.state === "probe") {
    progress.becomeReplicate();
  } else if (progress.state === "replicate") {
    progress.inflights.freeTo(index);
  } else if (progress.match + 1 >= log.first) {
    // Whatever snapshot it has got, and from wherever: the log can take it from here.
    progress.becomeProbe();
    progress.becomeReplicate();
  }
  maybeCommit(raft);
  raft.appendsOwed = true;
  finishTransfer(raft, message.from, progress);
}
