/** Watch.Watch as a client sees it: any number of watches on one stream. */
import { rangeRequest } from "../../../client/messages/kv.ts";
import { encode } from "../../../client/wire/codec.ts";
import type { HeaderFields } from "../../../codec/header.ts";
import {
  decodeWatchRequest,
  emptyWatchResponse,
  encodeWatchResponse,
  type WatchCreateRequest,
  WatchFilter,
  type WatchResponse,
} from "../../../codec/watch.ts";
import { EtcdError, GrpcCode } from "../../../errors/etcd-error.ts";
import { errors, goStatusText } from "../../../errors/table.ts";
import type { GrpcCall, StreamRequestHandler } from "../../../transport/grpc.ts";
import { ask } from "../ask.ts";
import { refusalOf } from "../pass-on.ts";
import { Receiver } from "./receiver.ts";
import { headerOf, noHeader } from "./watch-answer.ts";
import type { WatchHub } from "./watch-hub.ts";
import { identityOf } from "./watch-hub.ts";
import type { WatchSession } from "./watch-session.ts";

/** A client that has so much to read takes no more for now; it goes on where it was, once it has read that. */
export const slowBytesMax = 4 * 1024 * 1024;
/** The id of what is refused, and of progress for all. */
const noWatchId = -1n;
/** An empty key stands for this one. */
const smallestKey = Uint8Array.of(0);
/** Answers to the question who may watch that a watch is refused for; others end the stream. */
const refusals: ReadonlySet<GrpcCode> = new Set([
  GrpcCode.permissionDenied,
  GrpcCode.unauthenticated,
  GrpcCode.invalidArgument,
]);

export function watchHandler(hub: WatchHub): StreamRequestHandler {
  return { kind: "stream", open: (call) => new ClientWatches(hub, call) };
}

export class ClientWatches {
  readonly session: WatchSession;
  readonly #hub: WatchHub;
  readonly #call: GrpcCall;
  readonly #receivers = new Map<bigint, Receiver>();
  readonly #gone = new AbortController();
  #nextId = 0n;
  /** Requests that came while the one before them waits for an answer. */
  #waiting: Uint8Array[] | undefined;
  #isHeld = false;
  #isClosed = false;
  /** Sessions that have not said yet how far they are, and the least that the others have said. */
  #progress: { readonly sessions: Set<WatchSession>; revision: number } | undefined;

  constructor(hub: WatchHub, call: GrpcCall) {
    this.#hub = hub;
    this.#call = call;
    this.session = hub.sessionFor(call.metadata);
    this.session.addClient(this);
    call.onDrain(() => this.#onDrain());
    call.onCancel(() => this.#close());
    call.sendHeaders();
  }

  onMessage(message: Uint8Array): void {
    if (this.#isClosed) return;
    if (this.#waiting !== undefined) {
      this.#waiting.push(message);
      return;
    }
    try {
      this.#handle(message);
    } catch (error) {
      this.fail(refusalOf(error));
    }
  }

  /** A client that has no more to ask goes on to get its events. */
  onHalfClose(): void {}

  #handle(message: Uint8Array): void {
    const request = decodeWatchRequest(message);
    if (request.kind === "create") this.#createLater(request.create);
    else if (request.kind === "cancel") this.#cancel(request.watchId);
    else if (request.kind === "progress") this.#requestProgress();
  }

  /** A watch is shared with others, so whoever wants it has to be allowed to read the range. */
  #createLater(create: WatchCreateRequest): void {
    if (create.startRevision < 0) {
      this.#refuse(errors.compacted.text);
      return;
    }
    this.#waiting = [];
    this.#call.pause();
    this.#check(create)
      .then((header) => {
        if (!this.#isClosed) this.#create(create, header);
      })
      .catch((error: unknown) => this.#onRefused(EtcdError.from(error)))
      .finally(() => {
        const waiting = this.#waiting ?? [];
        this.#waiting = undefined;
        if (!this.#isHeld) this.#call.resume();
        for (const message of waiting) this.onMessage(message);
      });
  }

  async #check({ key, rangeEnd }: WatchCreateRequest): Promise<HeaderFields> {
    const range = this.#behind(key.length === 0 ? smallestKey : key, rangeEnd);
    const question = {
      key: range.key,
      range_end: range.rangeEnd,
      serializable: true,
      count_only: true,
      limit: 1n,
    };
    const answer = await ask(this.#hub.upstream, "/etcdserverpb.KV/Range", encode(rangeRequest, question), {
      metadata: identityOf(this.#call.metadata),
      signal: this.#gone.signal,
    });
    return headerOf(answer) ?? noHeader;
  }

  #behind(key: Uint8Array, rangeEnd: Uint8Array): { key: Uint8Array; rangeEnd: Uint8Array } {
    return this.#hub.namespace?.range(key, rangeEnd) ?? { key, rangeEnd };
  }

  #onRefused(error: EtcdError): void {
    if (this.#isClosed) return;
    if (refusals.has(error.code)) this.#refuse(goStatusText(error));
    else this.fail(error);
  }

  #create(create: WatchCreateRequest, header: HeaderFields): void {
    const { key, rangeEnd, watchId, startRevision, filters, prevKv } = create;
    const isTaken = watchId !== 0n && this.#receivers.has(watchId);
    const wrong = isEmpty(key, rangeEnd)
      ? errors.emptyWatcherRange
      : isTaken
        ? errors.watcherDuplicateId
        : undefined;
    if (wrong !== undefined) {
      this.#refuse(wrong.text, header);
      return;
    }
    const group = this.#hub.groupFor({
      ...this.#behind(key.length === 0 ? smallestKey : key, rangeEnd),
      noPut: filters.includes(WatchFilter.noPut),
      noDelete: filters.includes(WatchFilter.noDelete),
      prevKv,
      requireLeader: this.session.options.requireLeader,
    });
    const fromNow = group.startFromNow(header.revision);
    const receiver = new Receiver({
      id: watchId === 0n ? this.#freeId() : watchId,
      owner: this,
      group,
      nextRevision: startRevision === 0 ? fromNow : startRevision,
      knownRevision: header.revision,
      wantsProgress: create.progressNotify,
      wantsFragments: create.fragment,
    });
    this.#receivers.set(receiver.id, receiver);
    const revision = startRevision === 0 ? fromNow - 1 : header.revision;
    this.#answer({ ...emptyWatchResponse, watchId: receiver.id, created: true }, { ...header, revision });
    if (!this.#isHeld) this.#hub.join(receiver);
  }

  #freeId(): bigint {
    while (this.#receivers.has(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }

  #refuse(cancelReason: string, header: HeaderFields = this.session.header): void {
    const refusal = {
      ...emptyWatchResponse,
      watchId: noWatchId,
      created: true,
      canceled: true,
      cancelReason,
    };
    this.#answer(refusal, header);
  }

  #cancel(watchId: bigint): void {
    const receiver = this.#receivers.get(watchId);
    if (receiver === undefined) return;
    this.#receivers.delete(watchId);
    receiver.group.leave(receiver);
    this.#answer({ ...emptyWatchResponse, watchId, canceled: true }, this.session.header);
  }

  /** One answer for all its watches, when all the servers that they come from have said how far they are. */
  #requestProgress(): void {
    const sessions = new Set<WatchSession>([this.session]);
    for (const { broadcast } of this.#receivers.values()) if (broadcast) sessions.add(broadcast.session);
    this.#progress = { sessions, revision: Number.POSITIVE_INFINITY };
    for (const session of sessions) session.requestProgress(this);
  }

  onProgress(session: WatchSession, header: HeaderFields): void {
    const progress = this.#progress;
    if (progress === undefined) return;
    progress.sessions.delete(session);
    progress.revision = Math.min(progress.revision, header.revision);
    if (progress.sessions.size > 0) return;
    this.#progress = undefined;
    let { revision } = progress;
    for (const { reached } of this.#receivers.values()) revision = Math.min(revision, reached - 1);
    this.#answer({ ...emptyWatchResponse, watchId: noWatchId }, { ...header, revision });
  }

  /** As a server does that is behind: it does not answer. */
  onNoProgress(): void {
    this.#progress = undefined;
  }

  #answer(answer: WatchResponse, header: HeaderFields): void {
    this.send(encodeWatchResponse(header, answer));
    // A client that asks without reading the answers is not read either.
    if (this.#call.pendingBytes > slowBytesMax) this.#hold();
  }

  send(message: Uint8Array): void {
    if (!this.#call.write(message) && this.#call.pendingBytes > slowBytesMax) this.#hold();
  }

  /** Its watches leave those they share with others, so that nothing is kept for it. */
  #hold(): void {
    if (this.#isHeld || this.#isClosed) return;
    this.#isHeld = true;
    this.#call.pause();
    for (const receiver of this.#receivers.values()) {
      receiver.from = receiver.reached;
      receiver.group.leave(receiver);
    }
  }

  #onDrain(): void {
    if (!this.#isHeld || this.#isClosed) return;
    this.#isHeld = false;
    if (this.#waiting === undefined) this.#call.resume();
    for (const receiver of [...this.#receivers.values()]) {
      // One that has filled the stream again holds the others back.
      if (this.#isHeld) return;
      if (receiver.broadcast === undefined) this.#hub.join(receiver);
    }
  }

  /** The server has ended a watch; `message` says so to the client. */
  ended(receiver: Receiver, message: Uint8Array): void {
    this.#receivers.delete(receiver.id);
    this.send(message);
  }

  fail(error: EtcdError): void {
    if (this.#isClosed) return;
    this.#close();
    this.#call.fail(error);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#gone.abort();
    for (const receiver of this.#receivers.values()) receiver.group.leave(receiver);
    this.#receivers.clear();
    this.session.removeClient(this);
  }
}

/** A zero byte as the end stands for the end of all keys. */
function isEmpty(key: Uint8Array, rangeEnd: Uint8Array): boolean {
  if (rangeEnd.length === 0 || (rangeEnd.length === 1 && rangeEnd[0] === 0)) return false;
  return Buffer.compare(key.length === 0 ? smallestKey : key, rangeEnd) >= 0;
}
