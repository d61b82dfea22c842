/**
 * What a leader knows of one member's log (the paper's nextIndex and matchIndex, figure 2), and how it talks to it:
 *
 *   probe      where the logs match is not known: one message at a time, the next when it is answered
 *   replicate  entries are streamed ahead of the acknowledgements, within the in-flight window
 *   snapshot   the entries it needs are gone: nothing is sent until the snapshot is settled
 */
import { assert, fail } from "../../lib/assert.ts";
import { type InflightLimits, Inflights } from "./inflights.ts";

export type ProgressState = "probe" | "replicate" | "snapshot";

export class Progress {
  /** The highest entry known to be on this member's disk and equal to the leader's. */
  match: number;
  /** The next entry to send. Always above `match`. */
  next: number;
  /** The highest commit index sent; an empty append for a newer one is only worth it above this. */
  sentCommit = 0;
  state: ProgressState = "probe";
  /** In state snapshot: the index of the snapshot sent. */
  pendingSnapshot = 0;
  /** Heard from since the last check of the quorum (dissertation 6.2). */
  recentActive = false;
  /** Nothing more is sent until an answer or a heartbeat's answer comes. */
  paused = false;
  /** An append is owed even if it is empty: a probe, or the way out of a full window. */
  appendOwed = false;
  /** Lease reads: the leader's tick count when it sent the newest heartbeat that was answered. */
  leaseTick = Number.NEGATIVE_INFINITY;
  isLearner: boolean;
  readonly inflights: Inflights;

  constructor(options: { next: number; match: number; isLearner: boolean; limits: InflightLimits }) {
    this.match = options.match;
    this.next = options.next;
    this.isLearner = options.isLearner;
    this.inflights = new Inflights(options.limits);
  }

  /** Back to finding out. After a snapshot that was delivered, the probe starts behind it. */
  becomeProbe(): void {
    const delivered = this.state === "snapshot" ? this.pendingSnapshot : 0;
    this.#enter("probe");
    this.next = Math.max(this.match, delivered) + 1;
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
  }

  becomeReplicate(): void {
    this.#enter("replicate");
    this.next = this.match + 1;
  }

  becomeSnapshot(index: number): void {
    this.#enter("snapshot");
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.sentCommit = index;
  }

  /** An append with `count` entries from `next` on is on its way. */
  sentEntries(count: number, bytes: number): void {
    if (this.state === "replicate") {
      if (count > 0) {
        this.next += count;
        this.inflights.add(this.next - 1, bytes);
      }
      // With a full window this message is the last until something is heard.
      this.paused = this.inflights.full;
    } else if (this.state === "probe") {
      this.paused = true;
    } else {
      fail("raft: append sent to a member that waits for a snapshot");
    }
  }

  /** True when telling `commit` could move the member's own commit index. */
  canBumpCommit(commit: number): boolean {
    return commit > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /** The member acknowledged all up to `index`. False if that is old news. */
  acknowledge(index: number): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.paused = false;
    return true;
  }

  /**
   * The member refused the append anchored at `rejected` and suggests that the logs may match at `hint`. False when
   * this answers a message that later ones have made irrelevant.
   */
  retreat(rejected: number, hint: number): boolean {
    if (this.state === "replicate") {
      if (rejected <= this.match) return false;
      this.next = this.match + 1;
    } else {
      // While probing there is one message out, so anything else is an old answer.
      if (this.next - 1 !== rejected) return false;
      this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
      this.paused = false;
    }
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
    return true;
  }

  get isPaused(): boolean {
    return this.paused || this.state === "snapshot";
  }

  #enter(state: ProgressState): void {
    assert(this.match < this.next, "raft: match must stay below next");
    this.state = state;
    this.paused = false;
    this.pendingSnapshot = 0;
    this.inflights.reset();
  }
}
