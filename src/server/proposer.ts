/** The way of a request into the log: what is refused at the door, who waits for its end, and when waiting is over. */
import type { Caller } from "../auth/caller.ts";
import { raftField } from "../codec/raft-internal.ts";
import type { EtcdError } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import type { Term } from "../lib/ids.ts";
import type { Entry } from "../lib/raft-entry.ts";
import type { TurnClock } from "../lib/turn-clock.ts";
import type { ProposeRefusal } from "../raft/leader/propose.ts";
import type { Leadership } from "./leadership.ts";
import { type Done, Proposal, Proposals } from "./proposal.ts";
import type { RaftLoop } from "./raft-loop.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import { type EtcdServerParts, requestTimeoutMs } from "./server-parts.ts";
import { type SlowTraces, traceAfterMs } from "./slow-traces.ts";

/** Proposals that wait for their end; more are refused, as etcd does when apply falls behind. */
const pendingProposalsMax = 100_000;
/** With the feature gate PriorityRequest so many more may wait if they revoke leases: that is what makes room again. */
const pendingRevokesMax = pendingProposalsMax + 10_000;

/** So many are told in a turn of the event loop that they are given up. */
const givenUpPerTurn = 500;

/** A request that goes through the log: its field of InternalRaftRequest, its bytes, and what they mean. */
export interface ProposedRequest {
  readonly field: number;
  readonly bytes: Uint8Array;
  readonly request: unknown;
  /** Who asks, with authentication. */
  readonly caller?: Caller | undefined;
}

export interface ProposerOptions {
  readonly parts: EtcdServerParts;
  readonly metrics: ServerMetrics;
  readonly turnClock: TurnClock;
  readonly leadership: Leadership;
  readonly raftLoop: () => RaftLoop;
  readonly isStopped: () => boolean;
  readonly slowTraces: Pick<SlowTraces, "proposal">;
}

export class Proposer {
  readonly pending: Proposals;
  readonly #options: ProposerOptions;

  constructor(options: ProposerOptions) {
    this.#options = options;
    const { parts, metrics, turnClock, slowTraces } = options;
    this.pending = new Proposals(parts.cluster.localId, parts.random64(), (proposal, error) => {
      const { field, startMs } = proposal;
      // Changes of the membership have no field.
      if (field === 0) return;
      const nowMs = turnClock.now();
      metrics.requestSeconds.of(field, error === undefined).observe(Math.max(0, nowMs - startMs) / 1000);
      if (nowMs - startMs > traceAfterMs && !error) slowTraces.proposal(proposal, nowMs);
    });
  }

  propose<Result>(
    request: ProposedRequest,
    done: (error: EtcdError | undefined, result?: Result) => void,
  ): void {
    const entry = this.#entry(request, done as Done);
    if (entry) this.#options.raftLoop().propose(entry);
  }

  /** As `propose`, but only if this member leads now: otherwise ErrNotLeader. */
  proposeHere(request: ProposedRequest, done: (error: EtcdError | undefined) => void): void {
    const entry = this.#entry(request, done);
    if (!entry || this.#options.raftLoop().proposeHere(entry)) return;
    this.pending.finish(entry.decoded as Proposal, errors.notLeader());
  }

  isWanted({ decoded }: Entry): boolean {
    return decoded instanceof Proposal && this.pending.isPending(decoded);
  }

  sent(entries: readonly Entry[], term: Term): void {
    this.pending.sent(entries, term);
  }

  /** Raft did not take these. */
  refused(entries: readonly Entry[], why: ProposeRefusal): void {
    this.#options.metrics.proposalsFailed.inc(entries.length);
    const error = why === "too many uncommitted bytes" ? errors.tooManyRequests : errors.stopped;
    this.pending.failEntries(entries, error);
  }

  tick(nowMs: number): void {
    const { parts, leadership } = this.#options;
    const { pending } = this;
    const beforeMs = nowMs - requestTimeoutMs(parts.settings);
    const errorFor = (startMs: number) => leadership.timeoutError(startMs);
    this.#giveUp((limit) => pending.expire(beforeMs, errorFor, limit));
    const lostBefore = leadership.lostBefore(nowMs);
    if (lostBefore === undefined) return;
    this.#giveUp((limit) => pending.failSentBefore(lostBefore, errors.timeoutDueToLeaderFail, limit));
  }

  /** Behind a disk that stalls a hundred thousand may wait, and telling all of them takes most of a second. */
  #giveUp(some: (limit: number) => number): void {
    const { parts, metrics } = this.#options;
    const count = some(givenUpPerTurn);
    if (count > 0) metrics.proposalsFailed.inc(count);
    if (count === givenUpPerTurn) parts.clock.nextTurn(() => this.#giveUp(some));
  }

  failAll(): void {
    this.pending.failAll(errors.stopped());
  }

  #entry(request: ProposedRequest, done: Done): Entry | undefined {
    const refusal = this.#refusal(request);
    if (refusal) {
      done(refusal());
      return undefined;
    }
    return this.pending.entry(request, this.#options.turnClock.now(), done);
  }

  #refusal({ field, bytes }: ProposedRequest): (() => EtcdError) | undefined {
    const { isStopped, parts } = this.#options;
    const { maxRequestBytes, revokesFirst } = parts.settings;
    if (isStopped()) return errors.stopped;
    const goesFirst = revokesFirst === true && field === raftField.leaseRevoke;
    if (this.pending.count >= (goesFirst ? pendingRevokesMax : pendingProposalsMax))
      return errors.tooManyRequests;
    return bytes.length > maxRequestBytes ? errors.requestTooLarge : undefined;
  }
}
