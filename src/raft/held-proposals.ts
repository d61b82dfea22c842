/**
 * Proposals that another member has passed on to this one while nobody can take them: leadership is being handed over, or
 * there is no leader yet. They wait here for the next leader, so that a handover costs nobody a write. What is here has been
 * appended nowhere, and leaves once: to this member's own log, or on to the leader.
 */
import type { Message } from "../lib/raft-message.ts";
import type { Raft } from "./raft.ts";

const messagesMax = 1000;
const bytesMax = 16 * 1024 * 1024;

interface Held {
  readonly message: Message;
  /** By then who proposed it has given it up. */
  readonly untilTick: number;
}

export class HeldProposals {
  #held: Held[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** There is no room for more than so many: beyond that they are lost, as all were if nobody kept them. */
  hold(message: Message, untilTick: number): void {
    const bytes = bytesOf(message);
    if (this.#held.length >= messagesMax || this.#bytes + bytes > bytesMax) return;
    this.#held.push({ message, untilTick });
    this.#bytes += bytes;
  }

  /** Those that are still wanted, in the order in which they came. */
  takeAll(tick: number): Message[] {
    const held = this.#held;
    this.#held = [];
    this.#bytes = 0;
    return held.filter(({ untilTick }) => tick <= untilTick).map(({ message }) => message);
  }
}

/** Keeps a proposal that nobody can take now, for an election timeout. */
export function holdProposal(raft: Raft, message: Message): void {
  if (raft.config.disableProposalForwarding) return;
  raft.heldProposals.hold(message, raft.ticks + raft.config.electionTicks);
}

function bytesOf(message: Message): number {
  let bytes = 0;
  for (const { data } of message.entries) bytes += data.length;
  return bytes;
}
