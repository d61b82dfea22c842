/** grpc.health.v1.Health, as load balancers and Kubernetes probes ask it. */
import { create, toBinary } from "../codec/messages.ts";
import { EtcdError, GrpcCode } from "../errors/etcd-error.ts";
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "../gen/tables/grpc/health/v1/health.ts";
import type { GrpcCall, SingleRequestHandler } from "../transport/grpc.ts";
import { parse, unary, unaryMessages } from "./handler.ts";

/** What one of these services is now. The empty name is the server as a whole. */
export class HealthStatus {
  #status: Status = Status.SERVING;
  readonly #watchers = new Set<(status: Status) => void>();

  /** True while it has, and false once it has not, a member that can serve. */
  set(serving: boolean): void {
    const status = serving ? Status.SERVING : Status.NOT_SERVING;
    if (status === this.#status) return;
    this.#status = status;
    for (const tell of this.#watchers) tell(status);
  }

  get now(): Status {
    return this.#status;
  }

  watch(tell: (status: Status) => void): () => void {
    this.#watchers.add(tell);
    return () => this.#watchers.delete(tell);
  }
}

export function healthCheckHandler(health: HealthStatus): SingleRequestHandler {
  return unaryMessages(HealthCheckRequestSchema, HealthCheckResponseSchema, async ({ service }) => {
    if (service !== "") throw new EtcdError(GrpcCode.notFound, "unknown service");
    return { status: health.now };
  });
}

export function healthWatchHandler(health: HealthStatus): SingleRequestHandler {
  return unary((call, message) => {
    const { service } = parse(HealthCheckRequestSchema, message);
    if (service !== "") return sendStatus(call, Status.SERVICE_UNKNOWN);
    sendStatus(call, health.now);
    call.onCancel(health.watch((status) => sendStatus(call, status)));
  });
}

function sendStatus(call: GrpcCall, status: Status): void {
  call.write(toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status })));
}
