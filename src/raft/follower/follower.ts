/**
 * A follower: does what the leader says, and passes on what only a leader can do (Raft paper, 5.1 and 8).
 */
import { noMember } from "../../lib/ids.ts";
import { type Message, MessageType } from "../../lib/raft-message.ts";
import { hup } from "../election.ts";
import { holdProposal } from "../held-proposals.ts";
import type { Raft } from "../raft.ts";
import { handleAppend } from "./append.ts";
import { handleHeartbeat } from "./heartbeat.ts";
import { handleSnapshot } from "./snapshot.ts";

export function stepFollower(raft: Raft, message: Message): void {
  switch (message.type) {
    case MessageType.app:
      hearLeader(raft, message);
      handleAppend(raft, message);
      break;
    case MessageType.heartbeat:
      hearLeader(raft, message);
      handleHeartbeat(raft, message);
      break;
    case MessageType.snap:
      hearLeader(raft, message);
      handleSnapshot(raft, message);
      break;
    case MessageType.prop:
      if (raft.leader === noMember) holdProposal(raft, message);
      else if (!raft.config.disableProposalForwarding) raft.forward(message);
      break;
    case MessageType.transferLeader:
    case MessageType.readIndex:
      forwardToLeader(raft, message);
      break;
    case MessageType.readIndexResp:
      if (message.entries.length === 1) {
        raft.readStates.push({ index: message.index, context: message.entries[0]!.data });
      }
      break;
    case MessageType.timeoutNow:
      // No pre-vote: the leader itself wants this election (dissertation 3.10).
      hup(raft, "transfer");
      break;
    case MessageType.forgetLeader:
      forgetLeader(raft);
      break;
  }
}

/** The leader of this term has spoken: no election for now, and, with lease reads, no vote. */
export function hearLeader(raft: Raft, message: Message): void {
  raft.electionElapsed = 0;
  raft.leader = message.from;
  if (raft.config.readMode === "lease") raft.promisedTicks = raft.config.electionTicks;
}

function forwardToLeader(raft: Raft, message: Message): void {
  if (raft.leader !== noMember) raft.forward(message);
}

/** Lets this follower vote before the leader's silence has lasted an election timeout. A lease rules that out. */
function forgetLeader(raft: Raft): void {
  if (raft.config.readMode !== "lease") raft.leader = noMember;
}
