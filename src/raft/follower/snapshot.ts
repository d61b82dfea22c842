/**
 * A snapshot from the leader (InstallSnapshot, Raft paper section 7).
 */
import { type Message, MessageType, type Snapshot } from "../../lib/raft-message.ts";
import { checkConfig } from "../confchange/changer.ts";
import type { Raft } from "../raft.ts";

export function handleSnapshot(raft: Raft, message: Message): void {
  const { snapshot } = message;
  const restored = snapshot !== undefined && restore(raft, snapshot);
  raft.send({
    type: MessageType.appResp,
    to: message.from,
    index: restored ? raft.log.last : raft.log.committed,
  });
}

/** False if the snapshot has nothing new. */
function restore(raft: Raft, snapshot: Snapshot): boolean {
  const { log, config } = raft;
  const { index, term, confState } = snapshot.metadata;
  if (index <= log.committed) return false;
  const { voters, votersOutgoing, learners } = confState;
  if (!voters.includes(raft.id) && !votersOutgoing.includes(raft.id) && !learners.includes(raft.id)) {
    config.logger.warn(`${raft.name} got a snapshot at ${index} of a configuration without it; ignored`);
    return false;
  }
  if (log.matches(index, term)) {
    // The log holds everything in the snapshot; all it says is that this is committed.
    log.commitTo(index);
    return false;
  }
  checkConfig(confState);
  log.restore(snapshot);
  raft.tracker.reconfigure(confState, log.last);
  raft.tracker.resetProgress(log.last);
  config.logger.info(`${raft.name} restores snapshot [index: ${index}, term: ${term}]`);
  return true;
}
