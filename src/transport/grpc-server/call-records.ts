import type { GrpcCode } from "../../errors/etcd-error.ts";
import type { Histogram } from "../../lib/metrics.ts";
import type { CallTimes, EndedCall } from "../grpc.ts";

/** What go-grpc-prometheus counts of a method. */
export interface MethodCounters {
  started: number;
  messagesReceived: number;
  messagesSent: number;
  /** Ended calls by gRPC code (index 0 to 16). */
  readonly handled: number[];
}

export interface MethodRecord {
  readonly counters: MethodCounters;
  /** Of the seconds that calls take, if somebody wants to know. */
  readonly seconds: Histogram | undefined;
}

/** Bytes of messages, without prefixes (etcd_network_client_grpc_{received,sent}_bytes_total). */
export interface GrpcCounters {
  receivedBytes: number;
  sentBytes: number;
}

/** What there is to tell of the calls of a server, whether they come from a socket or by another protocol. */
export class CallRecords {
  readonly methods: ReadonlyMap<string, MethodRecord>;
  readonly bytes: GrpcCounters = { receivedBytes: 0, sentBytes: 0 };
  readonly times: CallTimes | undefined;

  constructor(paths: Iterable<string>, times?: CallTimes) {
    const methods = new Map<string, MethodRecord>();
    for (const path of paths) {
      const counters = { started: 0, messagesReceived: 0, messagesSent: 0, handled: new Array(17).fill(0) };
      methods.set(path, { counters, seconds: times?.histogramOf(path) });
    }
    this.methods = methods;
    this.times = times;
  }

  /** Undefined for a method that is not served. */
  begin(path: string): CallRecord | undefined {
    const method = this.methods.get(path);
    return method && new CallRecord(this, method);
  }
}

/** Of one call. (Those that come by gRPC count for themselves: they are many.) */
export class CallRecord {
  readonly #records: CallRecords;
  readonly #method: MethodRecord;
  readonly #startMs: number;

  constructor(records: CallRecords, method: MethodRecord) {
    this.#records = records;
    this.#method = method;
    this.#startMs = records.times?.now() ?? 0;
    method.counters.started++;
  }

  received(bytes: number): void {
    this.#method.counters.messagesReceived++;
    this.#records.bytes.receivedBytes += bytes;
  }

  sent(bytes: number): void {
    this.#method.counters.messagesSent++;
    this.#records.bytes.sentBytes += bytes;
  }

  /** `request` is that of a call which has one. */
  ended(
    code: GrpcCode,
    call: Omit<EndedCall, "tookMs" | "request"> & { readonly request: Uint8Array | undefined },
  ): void {
    const { times } = this.#records;
    this.#method.counters.handled[code]!++;
    if (times === undefined) return;
    const tookMs = times.now() - this.#startMs;
    this.#method.seconds?.observe(tookMs / 1000);
    const { request } = call;
    if (request !== undefined && tookMs > times.slowMs) times.onSlow({ ...call, request, tookMs });
  }
}
