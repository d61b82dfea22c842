/** grpc.health.v1.Health, as load balancers and Kubernetes probes ask it. */
import { create, toBinary } from "../codec/messages.ts";
import { EtcdError, GrpcCode } from "../errors/etcd-error.ts";
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthListRequestSchema,
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

/** By method. */
export const healthHandlers = (health: HealthStatus): Record<string, SingleRequestHandler> => ({
  Check: checkHandler(health),
  List: listHandler(health),
  Watch: watchHandler(health),
});

function checkHandler(health: HealthStatus): SingleRequestHandler {
  return unaryMessages(HealthCheckRequestSchema, HealthCheckResponseSchema, async ({ service }) => {
    if (service !== "") throw new EtcdError(GrpcCode.notFound, "unknown service");
    return { status: health.now };
  });
}

function listHandler(health: HealthStatus): SingleRequestHandler {
  return unary((call, message) => {
    parse(HealthListRequestSchema, message);
    const response = create(HealthCheckResponseSchema, { status: health.now });
    call.respond(listOfOne(toBinary(HealthCheckResponseSchema, response)));
  });
}

/** HealthListResponse with one entry, of the empty name: the tables know no maps. Each length fits one octet. */
function listOfOne(status: Uint8Array): Uint8Array {
  const entry = [0x0a, 0, 0x12, status.length, ...status];
  return Uint8Array.from([0x0a, entry.length, ...entry]);
}

function watchHandler(health: HealthStatus): SingleRequestHandler {
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
