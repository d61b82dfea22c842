/**
 * Renewals of leases. Clients that want the same lease renewed at about the same time share one renewal, and all of
 * them share one stream to a server for each token. Nobody is told of a renewal that was asked for before he asked.
 */
import type { OpenCall } from "../../../client/channel.ts";
import { encodeLeaseId } from "../../../codec/lease.ts";
import { Reader } from "../../../codec/protowire-read.ts";
import { EtcdError, GrpcCode } from "../../../errors/etcd-error.ts";
import type { LeaseId } from "../../../lib/ids.ts";
import type { Metadata } from "../../../transport/grpc.ts";
import type { Field } from "../../../transport/hpack/encoder.ts";
import type { Upstream } from "../upstream.ts";
import { identityOf } from "../watch/watch-hub.ts";

const keepAlivePath = "/etcdserverpb.Lease/LeaseKeepAlive";
/** How long a renewal waits for others that want the same, if others wanted it lately: part of the time to live. */
const gatherShare = 0.1;
const gatherMsMax = 500;

/** Who asks. */
export interface Renewer {
  renewed(message: Uint8Array): void;
  failed(error: EtcdError): void;
}

interface LeaseState {
  /** Whom the renewal that is under way is for. */
  asked: Renewer[];
  /** For the next one. */
  waiting: Renewer[];
  /** Who was answered last. */
  lastFor: Renewer | undefined;
  lastMs: number;
  ttlMs: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class KeepAliveHub {
  readonly #upstream: Upstream;
  readonly #sessions = new Map<string, KeepAliveSession>();

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  /** For a client's stream, until it is left. */
  enter(metadata: Metadata): KeepAliveSession {
    const fields = identityOf(metadata);
    const name = JSON.stringify(fields);
    let session = this.#sessions.get(name);
    if (session === undefined) {
      session = new KeepAliveSession(this.#upstream, fields, () => this.#sessions.delete(name));
      this.#sessions.set(name, session);
    }
    session.users++;
    return session;
  }
}

export class KeepAliveSession {
  users = 0;
  readonly #upstream: Upstream;
  readonly #metadata: readonly Field[];
  readonly #onUnused: () => void;
  readonly #leases = new Map<LeaseId, LeaseState>();
  #call: OpenCall | undefined;
  #isOpening = false;
  #isClosed = false;

  constructor(upstream: Upstream, metadata: readonly Field[], onUnused: () => void) {
    this.#upstream = upstream;
    this.#metadata = metadata;
    this.#onUnused = onUnused;
  }

  /** `renewer` is told when the lease has been renewed. */
  renew(id: LeaseId, renewer: Renewer): void {
    let lease = this.#leases.get(id);
    if (lease === undefined) {
      lease = { asked: [], waiting: [], lastFor: undefined, lastMs: 0, ttlMs: 0, timer: undefined };
      this.#leases.set(id, lease);
    }
    lease.waiting.push(renewer);
    if (lease.asked.length > 0 || lease.timer !== undefined) return;
    const known = lease;
    const restMs = gatherMs(known, renewer);
    if (restMs <= 0) this.#ask(id, known);
    else known.timer = setTimeout(() => this.#ask(id, known), restMs);
  }

  #ask(id: LeaseId, lease: LeaseState): void {
    clearTimeout(lease.timer);
    lease.timer = undefined;
    lease.asked = lease.waiting;
    lease.waiting = [];
    if (lease.asked.length === 0) return;
    if (this.#call !== undefined) this.#call.send(encodeLeaseId(id));
    else this.#open();
  }

  #open(): void {
    if (this.#isOpening || this.#isClosed) return;
    this.#isOpening = true;
    const listener = {
      onMessage: (message: Uint8Array) => {
        this.#onMessage(message);
        return true;
      },
      onEnd: (error: EtcdError | undefined) => this.#onEnd(error),
    };
    this.#upstream.open(keepAlivePath, listener, { metadata: this.#metadata }).then(
      (call) => {
        this.#isOpening = false;
        if (this.#isClosed) {
          call.cancel();
          return;
        }
        this.#call = call;
        for (const [id, { asked }] of this.#leases) if (asked.length > 0) call.send(encodeLeaseId(id));
      },
      (error: unknown) => {
        this.#isOpening = false;
        this.#onEnd(EtcdError.from(error));
      },
    );
  }

  #onMessage(message: Uint8Array): void {
    const { id, ttlSeconds } = readAnswer(message);
    const lease = this.#leases.get(id);
    if (lease === undefined) return;
    const { asked } = lease;
    lease.asked = [];
    lease.lastFor = asked.at(-1);
    lease.lastMs = performance.now();
    lease.ttlMs = ttlSeconds * 1000;
    for (const renewer of asked) renewer.renewed(message);
    if (lease.waiting.length > 0) this.#ask(id, lease);
    else if (ttlSeconds <= 0) this.#leases.delete(id);
    else this.#forgetLater(id, lease);
  }

  /** A lease that nobody renews any more is not kept in mind. */
  #forgetLater(id: LeaseId, lease: LeaseState): void {
    const timer = setTimeout(() => {
      const isIdle = lease.asked.length === 0 && lease.waiting.length === 0;
      if (isIdle && performance.now() - lease.lastMs >= gatherMsMax) this.#leases.delete(id);
    }, gatherMsMax + 1);
    timer.unref?.();
  }

  /** Those who wait are told; others' renewals begin a new stream. */
  #onEnd(error: EtcdError | undefined): void {
    this.#call = undefined;
    const ending = error ?? new EtcdError(GrpcCode.unavailable, "the server ended the renewals");
    const failed = [...this.#leases.values()].flatMap((lease) => {
      clearTimeout(lease.timer);
      return [...lease.asked, ...lease.waiting];
    });
    this.#leases.clear();
    for (const renewer of new Set(failed)) renewer.failed(ending);
  }

  /** `renewer` goes, and with the last user the stream does. */
  leave(renewer: Renewer): void {
    for (const lease of this.#leases.values()) {
      // The renewal that is under way has its answer to come, which must not be taken for another's.
      lease.waiting = lease.waiting.filter((other) => other !== renewer);
    }
    this.users--;
    if (this.users > 0) return;
    this.#isClosed = true;
    this.#call?.cancel();
    for (const { timer } of this.#leases.values()) clearTimeout(timer);
    this.#onUnused();
  }
}

/** One client's renewals are not held up; those of several at about the same time become one. */
function gatherMs(lease: LeaseState, renewer: Renewer): number {
  if (lease.lastFor === undefined || lease.lastFor === renewer) return 0;
  const windowMs = Math.min(gatherMsMax, lease.ttlMs * gatherShare);
  return lease.lastMs + windowMs - performance.now();
}

function readAnswer(message: Uint8Array): { id: LeaseId; ttlSeconds: number } {
  const reader = new Reader(message);
  let id = 0n;
  let ttlSeconds = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x10) id = reader.bigInt();
    else if (tag === 0x18) ttlSeconds = reader.int();
    else reader.skip(tag);
  }
  return { id: id as LeaseId, ttlSeconds };
}
