import type { CallTimes, GrpcRoutes } from "../grpc.ts";
import type { Http2Connection } from "../http2/connection.ts";
import type { RequestHead } from "../http2/request-head.ts";
import type { Http2Stream } from "../http2/stream.ts";
import { Call } from "./call.ts";
import { CallRecords, type GrpcCounters } from "./call-records.ts";
import { type CallPlan, CallPlanner, type Route } from "./plan.ts";
import { RefusedCall } from "./refused-call.ts";

/** The gRPC side of a server: routes, their counters, and what calls need to know. */
export class GrpcService {
  readonly routes: ReadonlyMap<string, Route>;
  readonly maxReceiveBytes: number;
  readonly counters: GrpcCounters;
  /** Told of faults: what a handler threw that is not an EtcdError. */
  readonly onError: (cause: unknown) => void;
  readonly times: CallTimes | undefined;
  private readonly planner: CallPlanner;

  constructor(options: {
    readonly routes: GrpcRoutes;
    readonly maxReceiveBytes: number;
    readonly onError: (cause: unknown) => void;
    /** Of the same routes; made if not given. */
    readonly records?: CallRecords | undefined;
  }) {
    const records = options.records ?? new CallRecords(options.routes.keys());
    const routes = new Map<string, Route>();
    for (const [path, handler] of options.routes) {
      routes.set(path, { handler, ...records.methods.get(path)! });
    }
    this.routes = routes;
    this.counters = records.bytes;
    this.times = records.times;
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
