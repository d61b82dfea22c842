/**
 * One stream of watches to a server, for all clients with the same token. When it breaks it is made again, and each
 * watch goes on behind what has come of it; clients that want to hear of a lost leader are told instead.
 */
import type { OpenCall } from "../../../client/channel.ts";
import { watchRequest } from "../../../client/messages/watch.ts";
import { encode } from "../../../client/wire/codec.ts";
import type { HeaderFields } from "../../../codec/header.ts";
import { EtcdError, GrpcCode } from "../../../errors/etcd-error.ts";
import type { Field } from "../../../transport/hpack/encoder.ts";
import type { Broadcast } from "./broadcast.ts";
import type { ClientWatches } from "./client-watches.ts";
import { noHeader, readWatchAnswer, type UpstreamAnswer } from "./watch-answer.ts";
import type { WatchHub } from "./watch-hub.ts";

export const watchPath = "/etcdserverpb.Watch/Watch";
/** Between a broken stream and the next. */
const resumeMs = { first: 50, max: 2_000 } as const;
/** Two watches of a group that differ in how far they are: how often the server is asked how far it is. */
const progressMs = 500;
/** A request for progress is dropped by a server that is behind, and made again after this. */
const progressLostMs = 400;
/** The number type of JavaScript ends before that of protobuf does. */
const revisionMax = 2 ** 63 - 1024;
const forAll = -1n;

export interface SessionOptions {
  readonly name: string;
  /** Who is asking. */
  readonly metadata: readonly Field[];
  readonly requireLeader: boolean;
}

interface Creating {
  readonly broadcast: Broadcast;
  isGone: boolean;
}

export class WatchSession {
  readonly options: SessionOptions;
  readonly clients = new Set<ClientWatches>();
  /** The newest header that came. */
  header: HeaderFields = noHeader;
  readonly #hub: WatchHub;
  readonly #broadcasts = new Set<Broadcast>();
  readonly #live = new Map<bigint, Broadcast>();
  /** Asked for, and not answered: in order. */
  #creating: Creating[] = [];
  #call: OpenCall | undefined;
  #isOpening = false;
  #isClosed = false;
  #waitMs: number = resumeMs.first;
  #resumeTimer: ReturnType<typeof setTimeout> | undefined;
  #progressTimer: ReturnType<typeof setInterval> | undefined;
  /** What an answer to a request for progress speaks of: those that the server had when it was asked. */
  #asked: { readonly of: ReadonlySet<Broadcast>; atMs: number } | undefined;
  /** With when they asked. */
  readonly #wantProgress = new Map<ClientWatches, number>();

  constructor(hub: WatchHub, options: SessionOptions) {
    this.#hub = hub;
    this.options = options;
  }

  /** With its first client the stream is opened, so that a lost leader is heard of. */
  addClient(client: ClientWatches): void {
    this.clients.add(client);
    this.#open();
  }

  /** Without clients it ends; what others share goes on with their tokens. */
  removeClient(client: ClientWatches): void {
    this.clients.delete(client);
    this.#wantProgress.delete(client);
    if (this.clients.size > 0 || this.#isClosed) return;
    this.#isClosed = true;
    this.#hub.forgetSession(this);
    clearTimeout(this.#resumeTimer);
    clearInterval(this.#progressTimer);
    this.#call?.cancel();
    this.#reset();
    for (const broadcast of this.#broadcasts) {
      const [heir] = broadcast.receivers;
      if (heir === undefined) continue;
      broadcast.session = heir.owner.session;
      broadcast.session.create(broadcast);
    }
    this.#broadcasts.clear();
  }

  create(broadcast: Broadcast): void {
    this.#broadcasts.add(broadcast);
    if (this.#call !== undefined) this.#sendCreate(this.#call, broadcast);
  }

  cancel(broadcast: Broadcast): void {
    this.#broadcasts.delete(broadcast);
    const waiting = this.#creating.find((one) => one.broadcast === broadcast && !one.isGone);
    if (waiting !== undefined) waiting.isGone = true;
    const { watchId } = broadcast;
    if (watchId === undefined || this.#live.get(watchId) !== broadcast) return;
    this.#live.delete(watchId);
    this.#send({ cancel_request: { watch_id: watchId } });
  }

  /** Asks now and then how far the server is, while watches could be joined by that or a client wants to know. */
  wantProgress(): void {
    if (this.#progressTimer !== undefined || this.#isClosed) return;
    this.#progressTimer = setInterval(() => {
      const hasLaggards = [...this.#broadcasts].some(({ group }) => group.broadcasts.size > 1);
      this.#answerLate();
      if (hasLaggards || this.#wantProgress.size > 0) this.#askProgress();
      else {
        clearInterval(this.#progressTimer);
        this.#progressTimer = undefined;
      }
    }, progressMs);
    this.#progressTimer.unref?.();
  }

  /** `client` is told how far the server is. */
  requestProgress(client: ClientWatches): void {
    this.#wantProgress.set(client, performance.now());
    this.#askProgress();
    this.wantProgress();
  }

  /** A server that says nothing may have nothing new: what has come so far is an answer too. */
  #answerLate(): void {
    const now = performance.now();
    for (const [client, askedMs] of this.#wantProgress) {
      if (now - askedMs < 2 * progressMs || this.header.revision === 0) continue;
      this.#wantProgress.delete(client);
      client.onProgress(this, this.header);
    }
  }

  #askProgress(): void {
    if (this.#call === undefined) return;
    const now = performance.now();
    if (this.#asked !== undefined && now - this.#asked.atMs < progressLostMs) return;
    // A late answer to an earlier request must not be taken for one about watches that are newer than that.
    this.#asked = { of: this.#asked?.of ?? new Set(this.#live.values()), atMs: now };
    this.#send({ progress_request: {} });
  }

  #send(request: Parameters<typeof encode<typeof watchRequest.value>>[1]): void {
    this.#call?.send(encode(watchRequest, request as object));
  }

  #sendCreate(call: OpenCall, broadcast: Broadcast): void {
    const { key, rangeEnd, noPut, noDelete, prevKv } = broadcast.group.options;
    this.#creating.push({ broadcast, isGone: false });
    call.send(
      encode(watchRequest, {
        create_request: {
          key,
          range_end: rangeEnd,
          start_revision: BigInt(Math.min(broadcast.nextRevision, revisionMax)),
          progress_notify: true,
          filters: [...(noPut ? [0] : []), ...(noDelete ? [1] : [])],
          prev_kv: prevKv,
        },
      }),
    );
  }

  #open(): void {
    if (this.#isOpening || this.#call !== undefined || this.#isClosed) return;
    this.#isOpening = true;
    const listener = {
      onMessage: (message: Uint8Array) => {
        this.#onMessage(message);
        return true;
      },
      onEnd: (error: EtcdError | undefined) => this.#onEnd(error),
    };
    this.#hub.upstream.open(watchPath, listener, { metadata: this.options.metadata }).then(
      (call) => {
        this.#isOpening = false;
        if (this.#isClosed) {
          call.cancel();
          return;
        }
        this.#call = call;
        for (const broadcast of this.#broadcasts) this.#sendCreate(call, broadcast);
      },
      (error: unknown) => {
        this.#isOpening = false;
        this.#onEnd(EtcdError.from(error));
      },
    );
  }

  #reset(): void {
    this.#call = undefined;
    this.#live.clear();
    this.#creating = [];
    this.#asked = undefined;
    for (const client of this.#wantProgress.keys()) client.onNoProgress();
    this.#wantProgress.clear();
    for (const broadcast of this.#broadcasts) broadcast.watchId = undefined;
  }

  #onEnd(error: EtcdError | undefined): void {
    if (this.#isClosed) return;
    this.#reset();
    const ending = error ?? new EtcdError(GrpcCode.unavailable, "the server ended the watches");
    const mayResume = ending.code === GrpcCode.unavailable || ending.code === GrpcCode.internal;
    if (!mayResume || this.options.requireLeader) {
      for (const client of [...this.clients]) client.fail(ending);
      return;
    }
    this.#resumeTimer = setTimeout(() => this.#open(), this.#waitMs);
    this.#waitMs = Math.min(this.#waitMs * 2, resumeMs.max);
  }

  #onMessage(message: Uint8Array): void {
    if (this.#isClosed) return;
    this.#waitMs = resumeMs.first;
    const answer = readWatchAnswer(message, this.#hub.editEvent);
    if (answer.header.revision > 0) this.header = answer.header;
    if (answer.created) this.#onCreated(answer);
    else if (answer.watchId === forAll) this.#onProgress(answer);
    else {
      const broadcast = this.#live.get(answer.watchId);
      if (broadcast === undefined) return; // canceled by us a moment ago
      if (!answer.canceled) broadcast.onAnswer(answer);
      else {
        this.#live.delete(answer.watchId);
        broadcast.onCanceled(answer);
      }
    }
  }

  #onCreated(answer: UpstreamAnswer): void {
    const creating = this.#creating.shift();
    if (creating === undefined) return;
    const { broadcast, isGone } = creating;
    if (answer.canceled) {
      if (!isGone) broadcast.onCanceled(answer);
    } else if (isGone) this.#send({ cancel_request: { watch_id: answer.watchId } });
    else {
      broadcast.watchId = answer.watchId;
      this.#live.set(answer.watchId, broadcast);
    }
  }

  #onProgress({ header }: UpstreamAnswer): void {
    const asked = this.#asked?.of ?? [];
    this.#asked = undefined;
    for (const broadcast of asked) {
      const { watchId } = broadcast;
      const isLive = watchId !== undefined && this.#live.get(watchId) === broadcast;
      if (isLive) broadcast.onProgress(header.revision);
    }
    const waiting = [...this.#wantProgress.keys()];
    this.#wantProgress.clear();
    for (const client of waiting) client.onProgress(this, header);
  }
}
