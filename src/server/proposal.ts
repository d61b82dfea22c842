/**
 * Requests on their way through the log: each gets an id that no other request in the cluster has, waits in this table,
 * and is told its end once, be it the result of its apply, a refusal or a timeout.
 */
import type { Caller } from "../auth/caller.ts";
import type { RaftField } from "../codec/raft-internal.ts";
import { encodeRaftProposal } from "../codec/raft-proposal.ts";
import type { EtcdError } from "../errors/etcd-error.ts";
import type { MemberId, RaftIndex, Term } from "../lib/ids.ts";
import { type Entry, EntryType } from "../lib/raft-entry.ts";

export type Done = (error: EtcdError | undefined, result?: unknown) => void;

/** What a proposal is about. */
export interface ProposalContent {
  /** Its field of InternalRaftRequest. */
  readonly field: number;
  readonly request: unknown;
  readonly caller?: Caller | undefined;
  readonly bytes?: Uint8Array;
}

/** What an entry's `decoded` holds while the member that proposed it still has the request. */
export class Proposal {
  readonly field: number;
  readonly request: unknown;
  /** Who asks; undefined without authentication, or for nobody in particular. */
  readonly caller: Caller | undefined;
  /** The low 48 bits of its id. */
  readonly suffix: number;
  readonly startMs: number;
  /** The size of the request as it came. */
  readonly requestBytes: number;
  /** The term in which it was handed to Raft, and so whose leader has it; none yet if it has to wait for a leader. */
  sentTerm = Number.POSITIVE_INFINITY;
  readonly done: Done;

  constructor(asked: ProposalContent, suffix: number, startMs: number, done: Done) {
    this.field = asked.field;
    this.request = asked.request;
    this.caller = asked.caller;
    this.suffix = suffix;
    this.startMs = startMs;
    this.requestBytes = asked.bytes?.length ?? 0;
    this.done = done;
  }
}

/** Told of each end, for metrics. */
export type OnEnd = (proposal: Proposal, error: EtcdError | undefined) => void;

const suffixBits = 48n;
const suffixLimit = 2 ** 48;

export class Proposals {
  /** In the order in which they were made, which is that of their deadlines. */
  readonly #pending = new Map<number, Proposal>();
  /** The upper 16 bits of all ids made here. */
  readonly #prefix: number;
  #lastSuffix: number;
  readonly #onEnd: OnEnd;

  /**
   * Ids begin at `random64`, so that they differ from those before a restart, which may still be in the log: the end of such
   * an entry must not be told to somebody else. etcd begins at the time of day, but a machine without a battery for its clock
   * starts at the same time each time.
   */
  constructor(memberId: MemberId, random64: bigint, onEnd: OnEnd = () => {}) {
    this.#onEnd = onEnd;
    this.#prefix = Number(memberId & 0xffffn);
    this.#lastSuffix = Number(BigInt.asUintN(Number(suffixBits), random64));
  }

  get count(): number {
    return this.#pending.size;
  }

  /** An entry for a request, whose end `done` will be told. */
  entry(asked: ProposalContent & { readonly bytes: Uint8Array }, nowMs: number, done: Done): Entry {
    const { field, bytes, caller } = asked;
    const suffix = this.#nextSuffix();
    const proposal = new Proposal(asked, suffix, nowMs, done);
    this.#pending.set(suffix, proposal);
    return {
      type: EntryType.normal,
      term: 0 as Term,
      index: 0 as RaftIndex,
      data: encodeRaftProposal({ prefix: this.#prefix, suffix }, field as RaftField, bytes, caller),
      decoded: proposal,
    };
  }

  /** A configuration change waits here too, by an id of its own. */
  register(field: number, request: unknown, nowMs: number, done: Done): { id: bigint; proposal: Proposal } {
    const suffix = this.#nextSuffix();
    const proposal = new Proposal({ field, request }, suffix, nowMs, done);
    this.#pending.set(suffix, proposal);
    return { id: (BigInt(this.#prefix) << suffixBits) | BigInt(suffix), proposal };
  }

  /** Who waits for the request with this id, if it was made here. */
  find(id: bigint): Proposal | undefined {
    if (Number(id >> suffixBits) !== this.#prefix) return undefined;
    return this.#pending.get(Number(id & ((1n << suffixBits) - 1n)));
  }

  /** Tells the end of a proposal, once; later ends of the same are ignored. */
  finish(proposal: Proposal, error: EtcdError | undefined, result?: unknown): void {
    if (!this.#pending.delete(proposal.suffix)) return;
    this.#onEnd(proposal, error);
    proposal.done(error, result);
  }

  /** False once its end was told. */
  isPending(proposal: Proposal): boolean {
    return this.#pending.get(proposal.suffix) === proposal;
  }

  /** Fails those made before `beforeMs`, each with the error for when it was made, but `limit` at most. Returns how many. */
  expire(beforeMs: number, errorFor: (startMs: number) => EtcdError, limit: number): number {
    let expired = 0;
    for (const proposal of this.#pending.values()) {
      if (proposal.startMs > beforeMs || expired === limit) break;
      expired++;
      this.finish(proposal, errorFor(proposal.startMs));
    }
    return expired;
  }

  /** Fails those that were handed to Raft before this term, but `limit` at most. Returns how many. */
  failSentBefore(term: Term, error: () => EtcdError, limit: number): number {
    const lost: Proposal[] = [];
    for (const proposal of this.#pending.values()) {
      if (lost.length === limit) break;
      if (proposal.sentTerm < term) lost.push(proposal);
    }
    for (const proposal of lost) this.finish(proposal, error());
    return lost.length;
  }

  /** These are handed to Raft now. */
  sent(entries: readonly Entry[], term: Term): void {
    for (const { decoded } of entries) if (decoded instanceof Proposal) decoded.sentTerm = term;
  }

  /** These were not taken. */
  failEntries(entries: readonly Entry[], error: () => EtcdError): void {
    for (const { decoded } of entries) if (decoded instanceof Proposal) this.finish(decoded, error());
  }

  /** The server stops. */
  failAll(error: EtcdError): void {
    for (const proposal of [...this.#pending.values()]) this.finish(proposal, error);
  }

  #nextSuffix(): number {
    this.#lastSuffix = (this.#lastSuffix + 1) % suffixLimit;
    return this.#lastSuffix;
  }
}
