/**
 * A leader whose own disk stalls goes on leading: the others commit without it. But it applies nothing, and what only a
 * leader can do (renewing leases for clients of other members, ending them) needs what it cannot apply. So it hands over to
 * one whose disk works. etcd's leader sends no heartbeats while its log is being written, and is replaced for that.
 */
import type { RawNode } from "../../raft/raw-node.ts";

/** After a try that changed nothing. */
const retryAfterMs = 5_000;
/** A disk that is always slow does not stall: the others' may be no better, and leadership would go round. So it is given
 * so many times as long as it took lately. */
const patience = 3;
/** What a write took counts for so much after each later one. */
const fading = 0.9;

export interface StalledLogOptions {
  readonly node: Pick<RawNode, "role" | "lastIndex" | "stableIndex" | "commitIndex">;
  readonly electionTimeoutMs: number;
  /** Hands over to the one that has most of the log. */
  readonly handOver: (stalledMs: number) => void;
}

export class StalledLog {
  readonly #options: StalledLogOptions;
  #stable = -1;
  /** The longest time that the log has taken lately to write something. */
  #usualMs = 0;
  /** When the log last had nothing to write, or something was written. */
  #movedMs: number | undefined;
  /** When the others were last not ahead of what this member has on disk. */
  #levelMs = 0;
  #nextTryMs = 0;

  constructor(options: StalledLogOptions) {
    this.#options = options;
  }

  /** To be called in each tick. */
  tick(nowMs: number): void {
    const { node, electionTimeoutMs, handOver } = this.#options;
    const { stableIndex, lastIndex, commitIndex, role } = node;
    const written = stableIndex !== this.#stable;
    const moved = written || lastIndex === stableIndex;
    this.#stable = stableIndex;
    if (written) this.#usualMs = Math.max(nowMs - (this.#movedMs ?? nowMs), this.#usualMs * fading);
    if (moved) this.#movedMs = nowMs;
    // What is committed without this member's disk, a quorum of others has on theirs.
    if (moved || commitIndex <= stableIndex || role !== "leader") this.#levelMs = nowMs;
    const behindMs = nowMs - this.#levelMs;
    if (behindMs < Math.max(electionTimeoutMs, patience * this.#usualMs) || nowMs < this.#nextTryMs) return;
    this.#nextTryMs = nowMs + retryAfterMs;
    handOver(nowMs - (this.#movedMs ?? nowMs));
  }

  /** For how long the log has had something to write and has not written anything. */
  stalledMs(nowMs: number): number {
    const { stableIndex, lastIndex } = this.#options.node;
    return stableIndex === this.#stable && lastIndex > stableIndex ? nowMs - (this.#movedMs ?? nowMs) : 0;
  }
}
