/** What becomes of proposals that were held for want of a leader. */
import { noMember } from "../lib/ids.ts";
import { appendProposals } from "./leader/propose.ts";
import type { Raft } from "./raft.ts";

/** To be called when something has happened that may have brought a leader. */
export function releaseProposals(raft: Raft): void {
  if (raft.heldProposals.isEmpty) return;
  if (raft.role === "leader") {
    if (raft.leadTransferee !== noMember || !raft.tracker.progress.has(raft.id)) return;
    for (const { entries } of raft.heldProposals.takeAll(raft.ticks)) {
      appendProposals(
        raft,
        entries.map((entry) => ({ ...entry })),
      );
    }
  } else if (raft.leader !== noMember) {
    for (const message of raft.heldProposals.takeAll(raft.ticks)) raft.forward(message);
  }
}
