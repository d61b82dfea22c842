/**
 * Entries from the leader (AppendEntries, Raft paper 5.3).
 */
import type { RaftIndex } from "../../lib/ids.ts";
import { type Message, MessageType } from "../../lib/raft-message.ts";
import type { Raft } from "../raft.ts";

export function handleAppend(raft: Raft, message: Message): void {
  const { log } = raft;
  const to = message.from;
  if (message.index < log.committed) {
    // Old news: what is committed matches for certain.
    raft.send({ type: MessageType.appResp, to, index: log.committed });
    return;
  }
  if (log.matches(message.index, message.logTerm)) {
    const index = log.appendFromLeader(message.index, message.entries);
    // Beyond `index` this log may still hold what no leader ever committed.
    log.commitTo(Math.min(message.commit, index));
    raft.send({ type: MessageType.appResp, to, index });
    return;
  }
  // The logs differ at that entry, and so they do wherever this one's term is above the leader's there.
  const from = Math.min(message.index, log.last) as RaftIndex;
  const hint = log.findConflict(from, message.logTerm);
  raft.send({
    type: MessageType.appResp,
    to,
    index: message.index,
    reject: true,
    rejectHint: hint.index,
    logTerm: hint.term,
  });
}
