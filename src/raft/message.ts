/**
 * Kinds of messages. Their shape is in lib/raft-message.ts, because `transport` and `codec` need it too.
 */
import { MessageType } from "../lib/raft-message.ts";

const local: ReadonlySet<MessageType> = new Set([
  MessageType.hup,
  MessageType.beat,
  MessageType.unreachable,
  MessageType.snapStatus,
  MessageType.checkQuorum,
  MessageType.storageAppend,
  MessageType.storageAppendResp,
  MessageType.storageApply,
  MessageType.storageApplyResp,
  MessageType.forgetLeader,
]);

const response: ReadonlySet<MessageType> = new Set([
  MessageType.appResp,
  MessageType.voteResp,
  MessageType.preVoteResp,
  MessageType.heartbeatResp,
  MessageType.readIndexResp,
]);

/** Never comes from another member. */
export function isLocal(type: MessageType): boolean {
  return local.has(type);
}

/** Answers something; from a stranger it answers nothing that was asked. */
export function isResponse(type: MessageType): boolean {
  return response.has(type);
}

const names = new Map<number, string>(
  Object.entries(MessageType).map(([name, type]) => [type, `Msg${name[0]!.toUpperCase()}${name.slice(1)}`]),
);

/** `MsgApp` and so on. */
export function messageName(type: MessageType): string {
  return names.get(type) ?? `Msg(${type})`;
}
