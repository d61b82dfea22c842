import type { CallTimes, GrpcRoutes } from "../grpc.ts";
import type { Http2Connection } from "../http2/connection.ts";
import type { RequestHead } from "../http2/request-head.ts";
import type { Http2Stream } from "../http2/stream.ts";
import { Call } from "./call.ts";
import { type CallPlan, CallPlanner, type Route } from "./plan.ts";
import { RefusedCall } from "./refused-call.ts";

/** Bytes of messages, without prefixes (etcd_network_client_grpc_{received,sent}_bytes_total). */
export interface GrpcCounters {
  receivedBytes: number;
  sentBytes: number;
}

/** The gRPC side of a server: routes, their counters, and what calls need to know. */
export class GrpcService {
  readonly routes: ReadonlyMap<string, Route>;
  readonly maxReceiveBytes: number;
  readonly counters: GrpcCounters = { receivedBytes: 0, sentBytes: 0 };
  /** Told of faults: what a handler threw that is not an EtcdError. */
  readonly onError: (cause: unknown) => void;
  readonly times: CallTimes | undefined;
  private readonly planner: CallPlanner;

  constructor(options: {
    readonly routes: GrpcRoutes;
    readonly maxReceiveBytes: number;
    readonly onError: (cause: unknown) => void;
    readonly times?: CallTimes | undefined;
  }) {
    const routes = new Map<string, Route>();
    for (const [path, handler] of options.routes) {
      const counters = { started: 0, messagesReceived: 0, messagesSent: 0, handled: new Array(17).fill(0) };
      routes.set(path, { handler, counters, seconds: options.times?.histogramOf(path) });
    }
    this.routes = routes;
    this.times = options.times;
    this.maxReceiveBytes = options.maxReceiveBytes;
    this.onError = options.onError;
    this.planner = new CallPlanner(this);
  }

  plan(head: RequestHead, contentType: string): CallPlan {
    return this.planner.plan(head, contentType);
  }

  makeStream(connection: Http2Connection, id: number, head: RequestHead, plan: CallPlan): Http2Stream {
    if (plan.kind === "call") return new Call(connection, id, head, plan);
    return new RefusedCall(connection, id, head, plan);
  }
}
