/** How simulated clients reach members: calls that may get lost on the way there or back, or with the member. */
import { EtcdError, GrpcCode } from "../../../src/errors/etcd-error.ts";
import type { Prng } from "../../../src/lib/prng.ts";
import type { Events } from "../world/events.ts";
import type { SimMember } from "../world/sim-member.ts";
import { SimCall } from "./sim-call.ts";

/** How a call ended, as far as its client knows. */
export type CallResult =
  | { readonly kind: "answer"; readonly bytes: Uint8Array }
  | { readonly kind: "error"; readonly error: EtcdError }
  /** It never reached the member, and the client knows. */
  | { readonly kind: "refused" }
  /** The member may have carried it out, or may still do so. */
  | { readonly kind: "unknown" };

export interface ClientNetworkSettings {
  lost: number;
  minMs: number;
  maxMs: number;
}

export interface OpenStream {
  /** Sends a message, unless the stream is over. */
  send(message: Uint8Array): void;
  halfClose(): void;
  /** Reads nothing, until told to go on. */
  pause(): void;
  resume(): void;
  close(): void;
}

export class ClientNetwork {
  readonly #events: Events;
  readonly #random: Prng;
  /** How long a client waits. */
  patienceMs = 6_000;
  settings: ClientNetworkSettings = { lost: 0, minMs: 0.2, maxMs: 1 };

  constructor(events: Events, random: Prng) {
    this.#events = events;
    this.#random = random;
  }

  /** A call with one request and one answer. */
  call(member: SimMember, path: string, request: Uint8Array): Promise<CallResult> {
    return new Promise((resolve) => {
      let answer: Uint8Array | undefined;
      const stream = this.open(member, path, {
        onMessage: (bytes) => {
          answer = bytes;
        },
        onEnd: (error) => {
          timer.cancel();
          if (error === "refused") resolve({ kind: "refused" });
          else if (error === "lost") resolve({ kind: "unknown" });
          else if (error) resolve({ kind: "error", error });
          else resolve({ kind: "answer", bytes: answer! });
        },
      });
      const timer = this.#events.after(this.patienceMs, () => {
        stream.close();
        resolve({ kind: "unknown" });
      });
      stream.send(request);
    });
  }

  /** A call with a stream of requests, of answers, or of both. */
  open(
    member: SimMember,
    path: string,
    ends: {
      onMessage(bytes: Uint8Array): void;
      /** "lost": the connection broke; "refused": there was none. */
      onEnd(error: EtcdError | "lost" | "refused" | undefined): void;
    },
  ): OpenStream {
    const { incarnation } = member;
    let isOver = false;
    const finish = (error: Parameters<typeof ends.onEnd>[0]) => {
      if (isOver) return;
      isOver = true;
      ends.onEnd(error);
    };
    const back = (tell: () => void) => {
      this.#later(() => {
        if (isOver) return;
        if (member.incarnation !== incarnation || this.#random.chance(this.settings.lost)) breakOff();
        else tell();
      }, inOrder.back);
    };
    const inOrder = { there: { atMs: 0 }, back: { atMs: 0 } };
    const call = new SimCall(path, {
      onMessage: (bytes) => back(() => ends.onMessage(bytes)),
      onEnd: (error) => back(() => finish(error)),
    });
    const breakOff = () => {
      inProcess(() => call.cancel());
      finish("lost");
    };
    const inProcess = (run: () => void) => {
      if (member.incarnation === incarnation) member.clock?.run(run);
    };
    const handler = new LateHandler(member, call);
    const there = (run: () => void) => {
      this.#later(() => {
        if (member.incarnation !== incarnation || !member.isUp)
          finish(handler.wasReached ? "lost" : "refused");
        else if (this.#random.chance(this.settings.lost)) breakOff();
        else inProcess(run);
      }, inOrder.there);
    };
    // Whoever has a connection notices when the other side dies.
    const look = () => {
      if (isOver) return;
      if (member.incarnation !== incarnation) finish("lost");
      else this.#events.after(200, look);
    };
    this.#events.after(200, look);
    return {
      send: (message) => there(() => handler.message(message)),
      halfClose: () => there(() => handler.halfClose()),
      pause: () => {
        call.isFull = true;
      },
      resume: () => inProcess(() => call.drained()),
      close: () => {
        isOver = true;
        inProcess(() => call.cancel());
      },
    };
  }

  /** Messages of one stream do not overtake each other. */
  #later(run: () => void, order: { atMs: number }): void {
    const { minMs, maxMs } = this.settings;
    const atMs = this.#events.nowMs + minMs + this.#random.float() * (maxMs - minMs);
    order.atMs = Math.max(order.atMs, atMs);
    this.#events.after(order.atMs - this.#events.nowMs, run);
  }
}

/** Finds the handler when the first message arrives: the member may have begun to serve only just now. */
class LateHandler {
  readonly #member: SimMember;
  readonly #call: SimCall;
  #stream: { onMessage(message: Uint8Array): void; onHalfClose(): void } | undefined;
  wasReached = false;

  constructor(member: SimMember, call: SimCall) {
    this.#member = member;
    this.#call = call;
  }

  message(message: Uint8Array): void {
    this.wasReached = true;
    if (this.#call.cancelled) return;
    const handler = this.#member.routes?.get(this.#call.path);
    if (handler === undefined) this.#call.fail(new EtcdError(GrpcCode.unimplemented, "unknown method"));
    else if (handler.kind === "single") handler.onRequest(this.#call, message);
    else {
      this.#stream ??= handler.open(this.#call);
      this.#stream.onMessage(message);
    }
  }

  halfClose(): void {
    this.#stream?.onHalfClose();
  }
}
