/**
 * The configuration in force and, for every member in it, its progress and its vote.
 */
import type { MemberId } from "../../lib/ids.ts";
import { type ConfState, emptyConfState } from "../../lib/raft-entry.ts";
import { jointIndex, jointVote } from "../quorum/joint.ts";
import type { VoteResult } from "../quorum/majority.ts";
import type { InflightLimits } from "./inflights.ts";
import { Progress } from "./progress.ts";

export class Tracker {
  readonly limits: InflightLimits;
  #config: ConfState = emptyConfState;
  /** In the order of the ids, so that equal inputs give equal message orders on every run. */
  #progress = new Map<MemberId, Progress>();
  readonly #votes = new Map<MemberId, boolean>();
  readonly #match = (id: MemberId): number => this.#progress.get(id)?.match ?? 0;
  readonly #vote = (id: MemberId): boolean | undefined => this.#votes.get(id);

  constructor(limits: InflightLimits) {
    this.limits = limits;
  }

  get config(): ConfState {
    return this.#config;
  }

  get progress(): ReadonlyMap<MemberId, Progress> {
    return this.#progress;
  }

  /** Members of the configuration, learners too. */
  get size(): number {
    return this.#progress.size;
  }

  get isJoint(): boolean {
    return this.#config.votersOutgoing.length > 0;
  }

  /** Exactly one voter decides everything. */
  get isSingleton(): boolean {
    return this.#config.voters.length === 1 && !this.isJoint;
  }

  isVoter(id: MemberId): boolean {
    return this.#config.voters.includes(id) || this.#config.votersOutgoing.includes(id);
  }

  /** All voters of both halves, each once, ascending. */
  voterIds(): readonly MemberId[] {
    if (!this.isJoint) return this.#config.voters;
    return sortIds([...new Set([...this.#config.voters, ...this.#config.votersOutgoing])]);
  }

  /**
   * Puts `config` in force. Members that stay keep their progress; new ones are probed from `lastIndex`, and count
   * as recently active so that adding one cannot at once cost the leader its quorum.
   */
  reconfigure(config: ConfState, lastIndex: number): void {
    const old = this.#progress;
    const learners = new Set(config.learners);
    const ids = new Set([...config.voters, ...config.votersOutgoing, ...config.learners]);
    this.#config = config;
    this.#progress = new Map();
    for (const id of sortIds([...ids])) {
      const isLearner = learners.has(id);
      const known = old.get(id);
      if (known !== undefined) {
        known.isLearner = isLearner;
        this.#progress.set(id, known);
        continue;
      }
      const fresh = new Progress({ match: 0, next: Math.max(lastIndex, 1), isLearner, limits: this.limits });
      fresh.recentActive = true;
      this.#progress.set(id, fresh);
    }
  }

  /** Forgets what was known of every log: a new term begins. */
  resetProgress(lastIndex: number): void {
    for (const [id, { isLearner }] of this.#progress) {
      this.#progress.set(id, new Progress({ match: 0, next: lastIndex + 1, isLearner, limits: this.limits }));
    }
  }

  /** The largest index on the disks of a quorum. */
  committed(): number {
    return jointIndex(this.#config, this.#match);
  }

  /** The largest value that a quorum has reached, by any other measure. */
  quorumOf(acked: (id: MemberId) => number): number {
    return jointIndex(this.#config, acked);
  }

  quorumActive(): boolean {
    const active = (id: MemberId) => this.#progress.get(id)?.recentActive === true;
    return jointVote(this.#config, active) === "won";
  }

  resetVotes(): void {
    this.#votes.clear();
  }

  /** A member's first answer counts; a second one in the same election changes nothing. */
  recordVote(id: MemberId, granted: boolean): VoteResult {
    if (!this.#votes.has(id)) this.#votes.set(id, granted);
    return jointVote(this.#config, this.#vote);
  }
}

/** Ascending, in place. */
export function sortIds(ids: MemberId[]): MemberId[] {
  return ids.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
