/**
 * A leader: what it does with each message. Answers count only if they come from a member of the configuration.
 */
import { type Message, MessageType } from "../../lib/raft-message.ts";
import type { Raft } from "../raft.ts";
import { handleAppendResponse } from "./append-response.ts";
import { handleHeartbeatResponse } from "./heartbeat-response.ts";
import { proposeForwarded } from "./propose.ts";
import { requestRead } from "./read-index.ts";
import { transferLeader } from "./transfer.ts";

export function stepLeader(raft: Raft, message: Message): void {
  switch (message.type) {
    case MessageType.prop:
      proposeForwarded(raft, message);
      return;
    case MessageType.readIndex:
      requestRead(raft, message);
      return;
  }
  const progress = raft.tracker.progress.get(message.from);
  if (progress === undefined) return;
  switch (message.type) {
    case MessageType.appResp:
      handleAppendResponse(raft, message, progress);
      break;
    case MessageType.heartbeatResp:
      handleHeartbeatResponse(raft, message, progress);
      break;
    case MessageType.transferLeader:
      transferLeader(raft, message.from, progress);
      break;
  }
}
