/** What the tests of the paper's section 5 share. */
import type { MemberId, Term } from "../../lib/ids.ts";
import { type Message, type MessageType, makeMessage } from "../../lib/raft-message.ts";
import type { Cluster } from "./cluster.ts";

export const memberId = (id: number) => BigInt(id) as MemberId;
/** Without what etcd adds to the paper. */
export const plain = { preVote: false, checkQuorum: false };

export function message(
  fields: { type: MessageType; from: number; to: number; term: number } & Record<string, unknown>,
) {
  return makeMessage({
    ...fields,
    from: memberId(fields.from),
    to: memberId(fields.to),
    term: fields.term as Term,
  });
}

/** What was sent of a type, once everybody has worked. */
export function sent(cluster: Cluster, type: MessageType): Message[] {
  for (const id of cluster.members.keys()) cluster.work(id);
  return cluster.wire.filter((m) => m.type === type);
}
