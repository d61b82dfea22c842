/** Watch.Watch: any number of watches on one stream. */
import { decodeWatchRequest, type WatchCreateRequest, WatchFilter } from "../../codec/watch.ts";
import type { Timer } from "../../lib/clock.ts";
import type { WatchStream } from "../../mvcc/watch/watch-stream.ts";
import type { GrpcCall, StreamRequestHandler } from "../../transport/grpc.ts";
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

class WatchHandler {
  readonly #server: WatchService;
  readonly #call: GrpcCall;
  readonly #answers: WatchAnswers;
  readonly #stream: WatchStream;
  #progressTimer: Timer | undefined;

  constructor(server: WatchService, call: GrpcCall) {
    this.#server = server;
    this.#call = call;
    this.#answers = new WatchAnswers(server, call);
    this.#stream = server.watchHub.openStream(this.#answers);
    call.onDrain(() => {
      call.resume();
      this.#stream.drained();
    });
    call.onCancel(() => this.#close());
    call.sendHeaders();
  }

  onMessage(message: Uint8Array): void {
    if (this.#stream.closed) return;
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
        this.#create(request.create);
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
    if (this.#answers.full) this.#call.pause();
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
