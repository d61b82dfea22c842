/**
 * Watches over one stream, which is made again when it breaks: each watch then goes on behind the last revision that it
 * has seen. What is canceled by the server ends.
 */
import { setTimeout as delay } from "node:timers/promises";
import { GrpcCode } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import type { Client } from "./client.ts";
import { ClientError } from "./client-error.ts";
import type { MessageStream } from "./message-stream.ts";
import type { ResponseHeader } from "./messages/kv.ts";
import type { Event, WatchCreateRequest, WatchRequest, WatchResponse } from "./messages/watch.ts";
import { watch as watchMethod } from "./methods/watch.ts";
import type { Init } from "./wire/message.ts";

export interface WatchEvent {
  readonly header: ResponseHeader | undefined;
  readonly events: readonly Event[];
  /** The server sent no list at all, not an empty one. */
  readonly hasNoEvents: boolean;
  /** Not zero: what was asked for has been compacted up to here. */
  readonly compactRevision: bigint;
  /** The last of its watch. */
  readonly isCanceled: boolean;
  readonly isCreated: boolean;
  readonly cancelReason: string;
  /** Why it ended, as clientv3 says it. */
  readonly error: string | undefined;
}

/** Neither events nor an end: the server says up to where there was nothing. */
export function isProgress({ events, isCanceled, isCreated, compactRevision, header }: WatchEvent): boolean {
  const revision = header?.revision ?? 0n;
  return events.length === 0 && !isCanceled && !isCreated && compactRevision === 0n && revision !== 0n;
}

export interface WatchRange {
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array | undefined;
  /** 0 is from now on. */
  readonly startRevision?: bigint;
  readonly prevKv?: boolean;
  readonly progressNotify?: boolean;
}

const resumeMs = 25;
const noRevision: ResponseHeader = { cluster_id: 0n, member_id: 0n, revision: 0n, raft_term: 0n };

/** One watch: iterate it. Leaving the loop cancels it. */
export class Watch implements AsyncIterable<WatchEvent> {
  readonly request: WatchCreateRequest;
  /** Where it goes on; 0 until the server has told where it is. */
  nextRevision: bigint;
  id: bigint | undefined;
  readonly #queue: WatchEvent[] = [];
  #isEnded = false;
  #wake: (() => void) | undefined;
  readonly #cancel: (watch: Watch) => void;

  constructor(range: WatchRange, cancel: (watch: Watch) => void) {
    const { key, rangeEnd, startRevision = 0n, prevKv = false, progressNotify = false } = range;
    this.#cancel = cancel;
    this.nextRevision = startRevision;
    this.request = {
      key,
      range_end: rangeEnd ?? new Uint8Array(0),
      start_revision: startRevision,
      progress_notify: progressNotify,
      filters: [],
      prev_kv: prevKv,
      watch_id: 0n,
      fragment: false,
    };
  }

  push(event: WatchEvent): void {
    if (this.#isEnded) return;
    this.#queue.push(event);
    if (event.isCanceled) this.#isEnded = true;
    this.#wake?.();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  async next(): Promise<WatchEvent | undefined> {
    for (;;) {
      const event = this.#queue.shift();
      if (event !== undefined || this.#isEnded) return event;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WatchEvent, void, undefined> {
    try {
      for (let event = await this.next(); event !== undefined; event = await this.next()) yield event;
    } finally {
      this.cancel();
    }
  }

  cancel(): void {
    this.end();
    this.#cancel(this);
  }
}

type Stream = MessageStream<WatchRequest, WatchResponse>;

export class Watcher {
  readonly #client: Client;
  readonly #requireLeader: boolean;
  readonly #watches = new Set<Watch>();
  /** Asked for on this stream, and not answered: in order. */
  #unanswered: Watch[] = [];
  #stream: Stream | undefined;
  #isRunning = false;
  #isClosed = false;
  #asksForProgress = false;

  constructor(client: Client, { requireLeader = true }: { readonly requireLeader?: boolean } = {}) {
    this.#client = client;
    this.#requireLeader = requireLeader;
  }

  watch(range: WatchRange): Watch {
    const watch = new Watch(range, (ended) => this.#forget(ended));
    this.#watches.add(watch);
    if (this.#stream !== undefined) this.#create(this.#stream, watch);
    this.#start();
    return watch;
  }

  /** All watches are told how far they are, once they are that far. */
  requestProgress(): void {
    if (this.#stream === undefined) this.#asksForProgress = true;
    else this.#stream.send({ progress_request: {} });
    this.#start();
  }

  close(): void {
    this.#isClosed = true;
    this.#stream?.cancel();
    for (const watch of this.#watches) watch.end();
    this.#watches.clear();
  }

  #start(): void {
    if (this.#isRunning || this.#isClosed) return;
    this.#isRunning = true;
    void this.#run().finally(() => {
      this.#isRunning = false;
    });
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      let isSilent = true;
      try {
        const stream = await this.#client.duplex(watchMethod, { requireLeader: this.#requireLeader });
        this.#begin(stream);
        for await (const answer of stream) {
          isSilent = false;
          this.#onAnswer(stream, answer);
        }
      } catch (error) {
        if (!mayResume(error)) {
          this.#endAll((error as Error).message);
          return;
        }
      } finally {
        this.#stream = undefined;
      }
      if (isSilent) await delay(resumeMs);
    }
  }

  #begin(stream: Stream): void {
    this.#stream = stream;
    this.#unanswered = [];
    for (const watch of this.#watches) this.#create(stream, watch);
    if (this.#asksForProgress) stream.send({ progress_request: {} });
    this.#asksForProgress = false;
  }

  #create(stream: Stream, watch: Watch): void {
    watch.id = undefined;
    this.#unanswered.push(watch);
    const request: Init<WatchCreateRequest> = { ...watch.request, start_revision: watch.nextRevision };
    stream.send({ create_request: request });
  }

  #forget(watch: Watch): void {
    this.#watches.delete(watch);
    if (watch.id !== undefined) this.#stream?.send({ cancel_request: { watch_id: watch.id } });
  }

  #onAnswer(stream: Stream, answer: WatchResponse): void {
    if (answer.created) {
      this.#onCreated(stream, answer);
      return;
    }
    const progressForAll = answer.watch_id === -1n;
    for (const watch of [...this.#watches]) {
      if (watch.id === undefined || !(progressForAll || watch.id === answer.watch_id)) continue;
      const last = answer.events.at(-1)?.kv?.mod_revision ?? answer.header?.revision ?? 0n;
      if (!answer.canceled && last >= watch.nextRevision) watch.nextRevision = last + 1n;
      if (answer.canceled) this.#watches.delete(watch);
      watch.push(eventFrom(answer));
    }
  }

  #onCreated(stream: Stream, answer: WatchResponse): void {
    const watch = this.#unanswered.shift();
    if (watch === undefined) return;
    if (answer.canceled && answer.cancel_reason !== "") {
      this.#watches.delete(watch);
      watch.push(closed(answer.cancel_reason));
    } else if (!this.#watches.has(watch)) {
      stream.send({ cancel_request: { watch_id: answer.watch_id } });
    } else {
      watch.id = answer.watch_id;
      if (watch.nextRevision === 0n) watch.nextRevision = (answer.header?.revision ?? 0n) + 1n;
    }
  }

  #endAll(reason: string): void {
    for (const watch of this.#watches) watch.push(closed(reason));
    this.#watches.clear();
  }
}

/** What a broken connection or a lost leader says; anything else stays as it is. */
function mayResume(error: unknown): boolean {
  return (
    error instanceof ClientError && (error.code === GrpcCode.unavailable || error.code === GrpcCode.internal)
  );
}

function closed(error: string): WatchEvent {
  return {
    header: noRevision,
    events: [],
    hasNoEvents: true,
    compactRevision: 0n,
    isCanceled: true,
    isCreated: false,
    cancelReason: "",
    error,
  };
}

function eventFrom(answer: WatchResponse): WatchEvent {
  return {
    header: answer.header,
    events: answer.events,
    // clientv3 makes up the end of a watch that came too late.
    hasNoEvents: answer.compact_revision !== 0n,
    compactRevision: answer.compact_revision,
    isCanceled: answer.canceled,
    isCreated: false,
    cancelReason: answer.cancel_reason,
    error: reasonOf(answer),
  };
}

function reasonOf({ canceled, compact_revision, cancel_reason }: WatchResponse): string | undefined {
  if (compact_revision !== 0n) return errors.compacted.text;
  if (!canceled) return undefined;
  if (cancel_reason === "") return errors.futureRev.text;
  const isKnown = Object.values(errors).some(({ text }) => text === cancel_reason);
  return isKnown ? cancel_reason : `rpc error: code = FailedPrecondition desc = ${cancel_reason}`;
}
