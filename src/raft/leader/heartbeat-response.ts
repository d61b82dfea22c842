/**
 * A follower answered a heartbeat: it is there, this member still leads its term as far as it knows, and whatever was
 * lost on the way to it may be sent again.
 */
import type { Message } from "../../lib/raft-message.ts";
import type { Raft } from "../raft.ts";
import type { Progress } from "../tracker/progress.ts";
import { confirmReads, readHeartbeatContext } from "./read-index.ts";

export function handleHeartbeatResponse(raft: Raft, message: Message, progress: Progress): void {
  progress.recentActive = true;
  progress.paused = false;
  // Even a full window gets one (empty) append: if all that filled it was lost, only this gets things going again.
  if (progress.match < raft.log.last || progress.state === "probe") {
    progress.appendOwed = true;
    raft.appendsOwed = true;
  }
  const context = readHeartbeatContext(message.context);
  if (context === undefined) return;
  progress.leaseTick = Math.max(progress.leaseTick, context.tick);
  confirmReads(raft, message.from, context.newestRead);
}
