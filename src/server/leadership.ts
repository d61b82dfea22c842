/**
 * What one member knows of who leads: since when, whether it is the member itself, and how sure of that it may be. It
 * only keeps account; what follows for reads, leases and proposals is up to whoever asks.
 */
import type { EtcdError } from "../errors/etcd-error.ts";
import { noMember, type Term } from "../lib/ids.ts";
import { formatId } from "../membership/member.ts";
import type { SoftState } from "../raft/ready.ts";
import { type EtcdServerParts, electionTimeoutMs } from "./server-parts.ts";
import { timeoutError } from "./timeout-error.ts";

export type LeadershipParts = Pick<
  EtcdServerParts,
  "settings" | "clock" | "logger" | "metrics" | "node" | "cluster" | "peers"
>;

/** A leader whose ticks are later than so many ticks may have been stuck, and asks whether it still leads. */
const ticksMissedMax = 3;
/** After so long a member that found nobody waits for its election as long as any other. */
const hurryMs = 5_000;

export class Leadership {
  readonly #parts: LeadershipParts;
  /** The term whose first entry, as a leader, this member has applied. */
  #ledTerm = 0 as Term;
  /** The last term in which this member was asked to hand over leadership. */
  #transferTerm = 0 as Term;
  /** The last term in which this member was stuck for a while, and has not asked since whether it still leads. */
  #doubtTerm = 0 as Term;
  #soleVoterLeads = false;
  #isVoter = false;
  #leader = noMember;
  /** The last leader that is not the one of now. */
  #leaderBefore = noMember;
  /** When the leader of now was first heard of. */
  #leaderSinceMs = Number.NEGATIVE_INFINITY;
  #hurryEndMs = 0;
  /** When what was handed to Raft before the leader of now was there, and is not applied, is given up. */
  #giveUpAtMs = Number.POSITIVE_INFINITY;

  constructor(parts: LeadershipParts) {
    this.#parts = parts;
  }

  /** Raft is about to start. */
  start(nowMs: number): void {
    this.#hurryEndMs = this.#parts.settings.initialElectionTickAdvance ? nowMs + hurryMs : 0;
  }

  get isLeader(): boolean {
    return this.#parts.node.role === "leader";
  }

  /** Whether this member leads, has applied what came before, and nobody else has a vote. */
  get soleVoterLeads(): boolean {
    return this.#soleVoterLeads;
  }

  /** Raft tells of another leader, or of another role of this member. `update` is due after it. */
  heard({ leader, role }: SoftState): void {
    const { logger, cluster, node, clock, metrics } = this.#parts;
    if (leader !== this.#leader) {
      if (this.#leader !== noMember) this.#leaderBefore = this.#leader;
      this.#leader = leader;
      if (leader !== noMember) {
        metrics.leaderChanges.inc();
        this.#leaderSinceMs = clock.monotonicMs();
        this.#giveUpAtMs = Number.POSITIVE_INFINITY;
        this.#hurryEndMs = 0;
      }
    }
    logger.named("raft").info(`${formatId(cluster.localId)} became ${role} at term ${node.term}`, {
      leader: formatId(leader),
    });
  }

  /** The first entry of a leader is applied. False if that is no news; otherwise `update` is due after it. */
  entryApplied(term: Term): boolean {
    if (term === this.#ledTerm) return false;
    this.#ledTerm = term;
    const { clock, node, settings } = this.#parts;
    if (term === node.term) this.#giveUpAtMs = clock.monotonicMs() + electionTimeoutMs(settings);
    return true;
  }

  /**
   * Once the first entry of a leader is applied, so is everything from leaders before it that will ever be; only a
   * proposal on its way to the leader before may still be passed on by that one, if that one lives. So after a while those
   * that were sent before this leader was known are as good as lost, and who waits for them need not wait for a whole
   * timeout. Gives the term before which they were sent, once; undefined if there is nothing to give up.
   */
  lostBefore(nowMs: number): Term | undefined {
    if (this.#giveUpAtMs === Number.POSITIVE_INFINITY) return undefined;
    const { cluster, peers } = this.#parts;
    const mayPassOn =
      this.#leaderBefore === cluster.localId || peers.activeSinceMs(this.#leaderBefore) !== undefined;
    if (mayPassOn && nowMs < this.#giveUpAtMs) return undefined;
    this.#giveUpAtMs = Number.POSITIVE_INFINITY;
    return this.#ledTerm;
  }

  /** To be called after every change of role, leader or membership. */
  update(): void {
    const { node, cluster } = this.#parts;
    const { voters, votersOutgoing } = node.confState;
    this.#isVoter = voters.includes(cluster.localId);
    const alone = voters.length === 1 && votersOutgoing.length === 0 && this.#isVoter;
    this.#soleVoterLeads = alone && this.isLeader && this.#ledTerm === node.term;
  }

  /** This member begins to hand over, if it leads. */
  handingOver(): void {
    this.#transferTerm = this.#parts.node.term;
  }

  /**
   * False for a leader that may have been replaced without noticing: its event loop was stuck, or it has begun to hand
   * over, or it is about to leave. In all other cases no other leader can have been elected for long enough to matter to
   * a lease: a new one gives every lease an election timeout more.
   */
  leadsForCertain(lastTickMs: number): boolean {
    const { clock, node } = this.#parts;
    if (this.#soleVoterLeads) return true;
    this.doubtWhenLate(clock.monotonicMs(), lastTickMs);
    return this.#isVoter && node.term !== this.#transferTerm && node.term !== this.#doubtTerm;
  }

  /** To be called in each tick, before it becomes the last one. */
  doubtWhenLate(nowMs: number, lastTickMs: number): void {
    const { node, settings } = this.#parts;
    if (nowMs - lastTickMs > ticksMissedMax * settings.tickMs) this.#doubtTerm = node.term;
  }

  /** A quorum was asked in `term` who leads, and has agreed. False if this member does not lead in that term any more. */
  confirmed(term: Term): boolean {
    if (!this.isLeader || this.#parts.node.term !== term) return false;
    if (this.#doubtTerm === term) this.#doubtTerm = 0 as Term;
    return true;
  }

  /** Why a request that was made at `startMs` has had no answer. */
  timeoutError(startMs: number): EtcdError {
    const { peers, cluster, node, settings } = this.#parts;
    return timeoutError(startMs, {
      peers,
      cluster,
      leader: node.leader,
      leaderSinceMs: this.#leaderSinceMs,
      electionTimeoutMs: electionTimeoutMs(settings),
    });
  }

  /** The first election need not wait for a timeout: whoever has found others has heard no leader among them. */
  hurryFirstElection(nowMs: number): void {
    const { cluster, peers, node, settings } = this.#parts;
    if (nowMs > this.#hurryEndMs) return;
    const found = cluster.members().some(({ id }) => peers.activeSinceMs(id) !== undefined);
    if (!found) return;
    this.#hurryEndMs = 0;
    for (let ticks = settings.electionTicks - 2; ticks > 0; ticks--) node.tick();
  }
}
