/**
 * Linearizable reads: a read may be answered once this member has applied everything that was committed when the read
 * came. A leader that is the only voter knows the commit index itself; otherwise one read index, confirmed by a quorum,
 * serves all the reads that came before it was asked for.
 */
import type { EtcdError } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import type { Clock } from "../lib/clock.ts";
import type { RaftIndex } from "../lib/ids.ts";
import { Portions } from "../lib/portions.ts";
import type { RawNode } from "../raft/raw-node.ts";
import type { ApplyLoop } from "./apply-loop.ts";
import type { ServerMetrics } from "./server-metrics.ts";

/** An unanswered read index is asked for again after this time: messages get lost, and leaders change. */
const retryMs = 500;

interface Read {
  readonly ready: () => void;
  readonly failed: (error: EtcdError) => void;
  readonly startMs: number;
}

export interface LinearizableReadsOptions {
  readonly node: RawNode;
  readonly applyLoop: ApplyLoop;
  readonly clock: Clock;
  /** Carries out what Raft wants done. */
  readonly process: () => void;
  /** True on a leader that is the only voter and has committed an entry of its own term. */
  readonly soleVoterLeads: () => boolean;
  /** 64 random bits. */
  readonly random64: () => bigint;
  readonly metrics: Pick<ServerMetrics, "readIndexesSlow" | "readIndexesFailed">;
}

const requestMask = (1n << 64n) - 1n;

export class LinearizableReads {
  readonly #options: LinearizableReadsOptions;
  /** Those for whom a read index has still to be asked. */
  #waiting: Read[] = [];
  /** Those who wait for the read index that was asked for last, and when that was. */
  #asked: Read[] = [];
  #askedAtMs = 0;
  /** Those whose read index is confirmed, and not applied here yet: while a disk stalls, that may take long. */
  readonly #confirmed = new Set<{ reads: Read[] }>();
  /** Those who may read, and those who were told that they may not: very many may be at once. */
  readonly #ready: Portions<Read>;
  readonly #refused: Portions<{ readonly read: Read; readonly error: EtcdError }>;
  /** The id of the request that was asked last. They begin anywhere, so that an answer that was meant for this member
   * before it was started again, or for another member, is not taken for one's own. */
  #request: bigint;
  #scheduled = false;

  constructor(options: LinearizableReadsOptions) {
    this.#options = options;
    this.#request = options.random64();
    this.#ready = new Portions(options.clock, (read) => read.ready());
    this.#refused = new Portions(options.clock, ({ read, error }) => read.failed(error));
  }

  /** Calls `ready`, perhaps at once, or `failed`. */
  add(ready: () => void, failed: (error: EtcdError) => void): void {
    const { node, applyLoop, clock, soleVoterLeads } = this.#options;
    if (soleVoterLeads()) {
      applyLoop.whenApplied(node.commitIndex, ready);
      return;
    }
    this.#waiting.push({ ready, failed, startMs: clock.monotonicMs() });
    this.#askLater();
  }

  /** Raft has an answer; perhaps a second one to the same request, or one that was too late. */
  confirmed(index: RaftIndex, context: Uint8Array): void {
    const reads = this.#asked;
    if (reads.length === 0) return;
    if (readRequest(context) !== this.#request) {
      this.#options.metrics.readIndexesSlow.inc();
      return;
    }
    this.#asked = [];
    const round = { reads };
    this.#confirmed.add(round);
    this.#options.applyLoop.whenApplied(index, () => {
      this.#confirmed.delete(round);
      this.#ready.add(round.reads);
    });
    this.#askLater();
  }

  /** There is another leader, who knows nothing of what was asked. */
  leaderChanged(): void {
    if (this.#asked.length > 0) this.#send();
    else this.#askLater();
  }

  /** Asks again for what got no answer, and gives up what is older than `timeoutMs`. */
  tick(timeoutMs: number): void {
    if (this.#asked.length + this.#waiting.length + this.#confirmed.size === 0) return;
    const nowMs = this.#options.clock.monotonicMs();
    const tooOld = (read: Read) => nowMs - read.startMs > timeoutMs;
    const expired = [...this.#asked, ...this.#waiting].filter(tooOld);
    this.#asked = this.#asked.filter((read) => !tooOld(read));
    this.#waiting = this.#waiting.filter((read) => !tooOld(read));
    for (const round of this.#confirmed) {
      const late = round.reads.filter(tooOld);
      if (late.length === 0) continue;
      for (const read of late) expired.push(read);
      round.reads = round.reads.filter((read) => !tooOld(read));
    }
    if (this.#asked.length > 0 && nowMs - this.#askedAtMs >= retryMs) this.#send();
    this.#askLater();
    if (expired.length > 0) this.#options.metrics.readIndexesSlow.inc();
    this.#refused.add(expired.map((read) => ({ read, error: errors.timeout() })));
  }

  failAll(error: EtcdError): void {
    const reads = [...this.#ready.takeRest(), ...this.#asked, ...this.#waiting];
    for (const round of this.#confirmed) for (const read of round.reads.splice(0)) reads.push(read);
    this.#asked = [];
    this.#waiting = [];
    if (reads.length > 0) this.#options.metrics.readIndexesFailed.inc();
    this.#refused.add(reads.map((read) => ({ read, error })));
  }

  #askLater(): void {
    if (this.#scheduled || this.#waiting.length === 0 || this.#asked.length > 0) return;
    this.#scheduled = true;
    this.#options.clock.nextTurn(() => {
      this.#scheduled = false;
      this.#ask();
    });
  }

  #ask(): void {
    if (this.#waiting.length === 0 || this.#asked.length > 0) return;
    this.#request = (this.#request + 1n) & requestMask;
    this.#asked = this.#waiting;
    this.#waiting = [];
    this.#send();
  }

  /** The same request may be sent again: every answer to it is newer than the reads that wait for it. Without a leader
   * nothing is sent, and they wait for one until they are too old. */
  #send(): void {
    this.#askedAtMs = this.#options.clock.monotonicMs();
    this.#options.node.readIndex(requestContext(this.#request));
    this.#options.process();
  }
}

function requestContext(request: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, request);
  return bytes;
}

function readRequest(context: Uint8Array): bigint | undefined {
  if (context.length !== 8) return undefined;
  return new DataView(context.buffer, context.byteOffset).getBigUint64(0);
}
