/**
 * What every call is asked before its handler sees it: whether this member serves such calls at all, and whether its
 * client wants none from a member without a leader (clientv3.WithRequireLeader).
 */
import type { EtcdError } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import type { Timer } from "../lib/clock.ts";
import type { GrpcCall, GrpcHandler, SingleRequestHandler, StreamRequestHandler } from "../transport/grpc.ts";
import { beginLater } from "./answer-room.ts";
import type { ClientRequests } from "./client-requests.ts";

export interface GuardedServer {
  /** True for a member that is no learner, knows a leader and need not turn authentication on first: then there is nothing to
   * ask. */
  readonly servesAll: boolean;
  readonly isLearner: boolean;
  readonly hasLeader: boolean;
  readonly auth: { readonly isAwaited: boolean };
  readonly electionTimeoutMs: number;
  after(delayMs: number, callback: () => void): Timer;
}

/** What a learner serves: all of a method, none of it, or some, as a look at the request says. */
export type LearnerServes = "all" | "none" | ((message: Uint8Array) => boolean);

/** Without a leader for so many election timeouts, streams of those who require one end. */
const timeoutsWithoutLeader = 3;

export class RouteGuard {
  readonly #server: GuardedServer;
  readonly #requests: ClientRequests;
  /** Streams whose clients require a leader. */
  readonly #requiring = new Set<GrpcCall>();
  #watching = false;
  #looksWithoutLeader = 0;

  constructor(server: GuardedServer, requests: ClientRequests) {
    this.#server = server;
    this.#requests = requests;
  }

  /** Streams that are kept an eye on. */
  get watched(): number {
    return this.#requiring.size;
  }

  guard(handler: GrpcHandler, learnerServes: LearnerServes): GrpcHandler {
    return handler.kind === "single"
      ? this.#guardSingle(handler, learnerServes)
      : this.#guardStream(handler, learnerServes);
  }

  #guardSingle(handler: SingleRequestHandler, learnerServes: LearnerServes): SingleRequestHandler {
    const server = this.#server;
    const begin = (call: GrpcCall, message: Uint8Array) => {
      if (server.servesAll) handler.onRequest(call, message);
      else if (server.auth.isAwaited) call.fail(errors.unhealthy());
      else if (server.isLearner && !serves(learnerServes, message))
        call.fail(errors.notSupportedForLearner());
      else if (!server.hasLeader && requiresLeader(call)) call.fail(errors.noLeader());
      else handler.onRequest(call, message);
    };
    return {
      kind: "single",
      onRequest: (call, message) => {
        this.#requests.count(call, "unary");
        if (call.peer.room?.isCrowded === true) beginLater(call, message, begin);
        else begin(call, message);
      },
    };
  }

  #guardStream(handler: StreamRequestHandler, learnerServes: LearnerServes): StreamRequestHandler {
    return {
      kind: "stream",
      open: (call) => {
        this.#requests.count(call, "stream");
        const refusal = this.#streamRefusal(call, learnerServes);
        if (refusal !== undefined) {
          call.fail(refusal);
          return { onMessage() {}, onHalfClose() {} };
        }
        if (requiresLeader(call)) this.#watch(call);
        return handler.open(call);
      },
    };
  }

  #streamRefusal(call: GrpcCall, learnerServes: LearnerServes): EtcdError | undefined {
    const { isLearner, hasLeader, auth } = this.#server;
    if (auth.isAwaited) return errors.unhealthy();
    if (isLearner && learnerServes === "none") return errors.notSupportedForLearner();
    return !hasLeader && requiresLeader(call) ? errors.noLeader() : undefined;
  }

  #watch(call: GrpcCall): void {
    this.#requiring.add(call);
    call.onCancel(() => this.#requiring.delete(call));
    if (this.#watching) return;
    this.#watching = true;
    this.#looksWithoutLeader = 0;
    this.#lookLater();
  }

  #lookLater(): void {
    this.#server.after(this.#server.electionTimeoutMs, () => {
      for (const call of this.#requiring) {
        if (call.cancelled || call.isOver) this.#requiring.delete(call);
      }
      this.#looksWithoutLeader = this.#server.hasLeader ? 0 : this.#looksWithoutLeader + 1;
      if (this.#looksWithoutLeader >= timeoutsWithoutLeader) {
        for (const call of this.#requiring) call.fail(errors.noLeader());
        this.#requiring.clear();
      }
      if (this.#requiring.size > 0) this.#lookLater();
      else this.#watching = false;
    });
  }
}

function serves(learnerServes: LearnerServes, message: Uint8Array): boolean {
  if (typeof learnerServes === "string") return learnerServes === "all";
  return learnerServes(message);
}

const requiresLeader = (call: GrpcCall): boolean => call.metadata.get("hasleader") === "true";
