/** Watch.Watch: any number of watches on one stream. */
import type { Caller } from "../../auth/caller.ts";
import { checkRange } from "../../auth/permission.ts";
import { decodeWatchRequest, type WatchCreateRequest, WatchFilter } from "../../codec/watch.ts";
import { EtcdError } from "../../errors/etcd-error.ts";
import { errors, goStatusText } from "../../errors/table.ts";
import type { Timer } from "../../lib/clock.ts";
import type { WatchStream } from "../../mvcc/watch/watch-stream.ts";
import type { GrpcCall, StreamRequestHandler } from "../../transport/grpc.ts";
import { callerOf } from "../caller.ts";
import { statusOfStream } from "../handler.ts";
import type { WatchService } from "../rpc-server.ts";
import { WatchAnswers } from "./watch-answers.ts";

export function watchHandler(server: WatchService): StreamRequestHandler {
  return {
    kind: "stream",
    open(call) {
      return new WatchHandler(server, call);
    },
  };
}

/** An empty key stands for this one. */
const smallestKey = Uint8Array.of(0);
/** The reasons that etcd tells; all others it calls a lack of permission. */
const refusals: ReadonlySet<string> = new Set([
  errors.invalidAuthToken.text,
  errors.authOldRevision.text,
  errors.userEmpty.text,
]);

class WatchHandler {
  readonly #server: WatchService;
  readonly #call: GrpcCall;
  readonly #answers: WatchAnswers;
  readonly #stream: WatchStream;
  #progressTimer: Timer | undefined;
  /** Requests that came while the one before them waits to know who the client is. */
  #waiting: Uint8Array[] | undefined;

  constructor(server: WatchService, call: GrpcCall) {
    this.#server = server;
    this.#call = call;
    const goOn = () => {
      call.resume();
      this.#stream.drained();
    };
    this.#answers = new WatchAnswers(server, call, goOn);
    this.#stream = server.watchHub.openStream(this.#answers);
    call.onDrain(goOn);
    call.onCancel(() => this.#close());
    call.sendHeaders();
  }

  onMessage(message: Uint8Array): void {
    if (this.#stream.closed) return;
    if (this.#waiting !== undefined) {
      this.#waiting.push(message);
      return;
    }
    try {
      this.#handle(message);
    } catch (error) {
      this.#close();
      this.#call.fail(statusOfStream(error));
    }
  }

  /** A client that has no more to ask goes on to get its events. */
  onHalfClose(): void {}

  #handle(message: Uint8Array): void {
    const request = decodeWatchRequest(message);
    switch (request.kind) {
      case "create":
        this.#createIfAllowed(request.create);
        break;
      case "cancel":
        if (this.#stream.cancel(request.watchId)) this.#answers.canceled(request.watchId);
        break;
      case "progress":
        this.#stream.requestProgress();
        break;
      case "none":
        return;
    }
    // A client that asks without reading the answers is not read either.
    if (this.#answers.full || !this.#answers.hasRoom()) this.#call.pause();
  }

  /** Asked once, as in etcd: a watch goes on when its user loses the right to it. */
  #createIfAllowed(create: WatchCreateRequest): void {
    if (!this.#server.auth.enabled) {
      this.#create(create);
      return;
    }
    try {
      const caller = callerOf(this.#server, this.#call);
      if (caller instanceof Promise) this.#createLater(create, caller);
      else this.#createFor(create, caller);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #createLater(create: WatchCreateRequest, caller: Promise<Caller | undefined>): void {
    this.#waiting = [];
    this.#call.pause();
    caller
      .then((known) => this.#createFor(create, known))
      .catch((error: unknown) => this.#refuse(error))
      .finally(() => {
        const waiting = this.#waiting ?? [];
        this.#waiting = undefined;
        this.#call.resume();
        for (const message of waiting) this.onMessage(message);
      });
  }

  /** What is checked is what will be watched: a zero byte as the end means all that follows, not the one key. */
  #createFor(create: WatchCreateRequest, caller: Caller | undefined): void {
    if (this.#stream.closed) return;
    const key = create.key.length === 0 ? smallestKey : create.key;
    if (create.startRevision >= 0) checkRange(this.#server.auth.state, caller, key, create.rangeEnd);
    this.#create(create);
  }

  #refuse(error: unknown): void {
    if (this.#stream.closed) return;
    const known = error instanceof EtcdError && refusals.has(error.message);
    this.#answers.refused(goStatusText(known ? error : errors.permissionDenied()));
  }

  #create(create: WatchCreateRequest): void {
    const { filters } = create;
    const created = this.#stream.create({
      ...create,
      noPut: filters.includes(WatchFilter.noPut),
      noDelete: filters.includes(WatchFilter.noDelete),
    });
    if ("refused" in created) {
      this.#answers.refused(created.refused);
      return;
    }
    this.#answers.created(created.id);
    if (create.progressNotify) this.#tickLater();
  }

  /** Streams that have come together do not tell their progress together: each waits up to a tenth longer, by chance. */
  #tickLater(): void {
    if (this.#progressTimer) return;
    const server = this.#server;
    this.#progressTimer = server.after(server.watchProgressIntervalMs * (1 + server.jitter() / 10), () => {
      this.#progressTimer = undefined;
      if (this.#stream.closed) return;
      this.#stream.tick();
      this.#tickLater();
    });
  }

  #close(): void {
    this.#progressTimer?.cancel();
    this.#stream.close();
  }
}
