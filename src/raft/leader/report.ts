/**
 * What the transport tells a leader about its messages.
 */
import type { MemberId } from "../../lib/ids.ts";
import type { Raft } from "../raft.ts";

/** What was streamed ahead to this member is probably lost: find out where it stands. */
export function reportUnreachable(raft: Raft, id: MemberId): void {
  const progress = raft.tracker.progress.get(id);
  if (raft.role === "leader" && progress?.state === "replicate") progress.becomeProbe();
}

/** A snapshot was delivered, or was not. Either way nothing is sent before the member is heard from again. */
export function reportSnapshot(raft: Raft, id: MemberId, ok: boolean): void {
  const progress = raft.tracker.progress.get(id);
  if (raft.role !== "leader" || progress?.state !== "snapshot") return;
  if (!ok) progress.pendingSnapshot = 0;
  progress.becomeProbe();
  // Delivered: its answer is on the way. Failed: the next heartbeat's answer leads to another attempt.
  progress.paused = true;
}
