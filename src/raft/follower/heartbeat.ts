/**
 * A leader's heartbeat: its commit index never exceeds what it knows this member to hold.
 */
import { type Message, MessageType } from "../../lib/raft-message.ts";
import type { Raft } from "../raft.ts";

export function handleHeartbeat(raft: Raft, message: Message): void {
  raft.log.commitTo(message.commit);
  raft.send({ type: MessageType.heartbeatResp, to: message.from, context: message.context });
}
