/**
 * `--enable-distributed-tracing`: a span for each sampled call, and within it one for what is done, by the names and with
 * the attributes that etcd gives them. What carries spans to a collector is handed in; calls that are not sampled go their
 * usual way.
 */
import { decodeCompactionRequest } from "../codec/compaction.ts";
import { decodeDeleteRangeRequest } from "../codec/delete-range.ts";
import type { RequestOp, TxnRequest } from "../codec/kv.ts";
import { decodeLeaseGrantRequest, decodeLeaseId } from "../codec/lease.ts";
import { decodePutRequest } from "../codec/put.ts";
import { decodeRangeRequest } from "../codec/range.ts";
import { decodeTxnRequest } from "../codec/txn-request.ts";
import { decodeWatchRequest, type WatchCreateRequest } from "../codec/watch.ts";
import { type EtcdError, GrpcCode } from "../errors/etcd-error.ts";
import type {
  GrpcCall,
  GrpcHandler,
  GrpcRoutes,
  Metadata,
  Peer,
  StreamRequestHandler,
} from "../transport/grpc.ts";

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface CallSpan {
  child(name: string, attributes: SpanAttributes): CallSpan;
  event(name: string): void;
  /** The span of a call has its gRPC code, and its message if it failed; one within it has neither. */
  end(code?: number, message?: string): void;
}

export interface CallTracer {
  /** A span for a call, as the child of what the client says (`traceparent`); undefined if it is not to be traced. */
  begin(name: string, traceparent: string | undefined, attributes: SpanAttributes): CallSpan | undefined;
}

export function traceRoutes(routes: GrpcRoutes, tracer: CallTracer): GrpcRoutes {
  return new Map([...routes].map(([path, handler]) => [path, traced(path, handler, tracer)]));
}

function traced(path: string, handler: GrpcHandler, tracer: CallTracer): GrpcHandler {
  const labels = { "rpc.system.name": "grpc", "rpc.method": path.slice(1) };
  const begin = (call: GrpcCall) =>
    tracer.begin(path.slice(1), call.metadata.get("traceparent"), {
      ...labels,
      "network.peer.address": call.peer.address,
    });
  if (handler.kind === "stream") {
    return {
      kind: "stream",
      open(call) {
        const span = begin(call);
        if (!span) return handler.open(call);
        const tracedCall = new TracedCall(call, span, undefined);
        const requests = handler.open(tracedCall);
        return path === "/etcdserverpb.Watch/Watch" ? tracedWatches(requests, tracedCall) : requests;
      },
    };
  }
  const describe = operations[path];
  return {
    kind: "single",
    onRequest(call, message) {
      const span = begin(call);
      if (!span) {
        handler.onRequest(call, message);
        return;
      }
      const operation = describe && attempt(() => describe(message));
      const inner = operation && span.child(operation.name, operation.attributes);
      const isProposed = operation?.isProposed ?? changesUsers(path);
      if (isProposed) (inner ?? span).event("Send raft proposal");
      handler.onRequest(new TracedCall(call, span, inner, isProposed), message);
    },
  };
}

/** Watches of one call that have a span. */
const tracedWatchesMax = 1000;

/** A span for each watch that is asked for, until the call ends. */
function tracedWatches(requests: StreamRequests, call: TracedCall): StreamRequests {
  let count = 0;
  return {
    onMessage(message) {
      const asked = attempt(() => decodeWatchRequest(message));
      if (asked?.kind === "create" && ++count <= tracedWatchesMax) call.begin("watch", watchOf(asked.create));
      requests.onMessage(message);
    },
    onHalfClose: () => requests.onHalfClose(),
  };
}

function watchOf(create: WatchCreateRequest): SpanAttributes {
  const { key, rangeEnd, startRevision, progressNotify, prevKv, fragment } = create;
  const isFromKey = rangeEnd.length === 1 && rangeEnd[0] === 0;
  return {
    key: text(key),
    range_end: isFromKey ? "" : text(rangeEnd),
    start_rev: startRevision,
    progress_notify: progressNotify,
    prev_kv: prevKv,
    fragment,
  };
}

type StreamRequests = ReturnType<StreamRequestHandler["open"]>;

/** Calls of Auth that go through the log, and for which there is no span within the call's. */
const changesUsers = (path: string): boolean =>
  /^\/etcdserverpb\.Auth\/(?:Auth(?:En|Dis)able|(?:User|Role)(?:Add|Delete|Change|Grant|Revoke).*)$/.test(
    path,
  );

interface Operation {
  readonly name: string;
  readonly attributes: SpanAttributes;
  /** Whether it goes through the log. */
  readonly isProposed: boolean;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What cannot be read is for the handler to refuse. */
function attempt<T>(describe: () => T): T | undefined {
  try {
    return describe();
  } catch {
    return undefined;
  }
}

function rangeOf(message: Uint8Array): SpanAttributes {
  const { key, rangeEnd, revision, limit, countOnly, keysOnly } = decodeRangeRequest(message);
  return {
    range_begin: text(key),
    range_end: text(rangeEnd),
    rev: revision,
    limit,
    count_only: countOnly,
    keys_only: keysOnly,
  };
}

const kv = "/etcdserverpb.KV";
const operations: Readonly<Record<string, (message: Uint8Array) => Operation>> = {
  [`${kv}/Range`]: (message) => ({ name: "range", attributes: rangeOf(message), isProposed: false }),
  [`${kv}/RangeStream`]: (message) => ({
    name: "range_streaming",
    attributes: rangeOf(message),
    isProposed: false,
  }),
  [`${kv}/Put`]: (message) => ({
    name: "put",
    attributes: { key: text(decodePutRequest(message).key) },
    isProposed: true,
  }),
  [`${kv}/DeleteRange`]: (message) => {
    const { key, rangeEnd } = decodeDeleteRangeRequest(message);
    const attributes = { range_begin: text(key), range_end: text(rangeEnd) };
    return { name: "delete_range", attributes, isProposed: true };
  },
  [`${kv}/Txn`]: (message) => txnOperation(decodeTxnRequest(message)),
  [`${kv}/Compact`]: (message) => {
    const { revision, physical } = decodeCompactionRequest(message);
    return { name: "compact", attributes: { is_physical: physical, rev: revision }, isProposed: true };
  },
  "/etcdserverpb.Lease/LeaseGrant": (message) => {
    const { id, ttlSeconds } = decodeLeaseGrantRequest(message);
    return { name: "lease_grant", attributes: { id: String(id), ttl: ttlSeconds }, isProposed: true };
  },
  "/etcdserverpb.Lease/LeaseRevoke": (message) => ({
    name: "lease_revoke",
    attributes: { id: String(decodeLeaseId(message)) },
    isProposed: true,
  }),
};

function txnOperation({ compare, success, failure }: TxnRequest): Operation {
  const first = success[0];
  const readOnly = [...success, ...failure].every(isRead);
  const attributes = {
    compare_first_key: compare[0] ? text(compare[0].key) : "",
    success_first_key: keyOf(first),
    success_first_type: first?.kind ?? "",
    success_first_lease: first?.kind === "put" ? String(first.put.lease) : "0",
    compare_len: compare.length,
    success_len: success.length,
    failure_len: failure.length,
    read_only: readOnly,
  };
  return { name: "txn", attributes, isProposed: !readOnly };
}

function isRead(op: RequestOp): boolean {
  if (op.kind === "txn") return [...op.txn.success, ...op.txn.failure].every(isRead);
  return op.kind === "range";
}

function keyOf(op: RequestOp | undefined): string {
  if (op?.kind === "put") return text(op.put.key);
  if (op?.kind === "range") return text(op.range.key);
  return op?.kind === "deleteRange" ? text(op.deleteRange.key) : "";
}

/** A call that ends its spans. */
class TracedCall implements GrpcCall {
  readonly #call: GrpcCall;
  readonly #span: CallSpan;
  readonly #operation: CallSpan | undefined;
  readonly #isProposed: boolean;
  readonly #begun: CallSpan[] = [];
  #isOver = false;

  constructor(call: GrpcCall, span: CallSpan, operation: CallSpan | undefined, isProposed = false) {
    this.#call = call;
    this.#span = span;
    this.#operation = operation;
    this.#isProposed = isProposed;
    call.onCancel(() => this.#end(GrpcCode.canceled, "context canceled"));
  }

  #end(code: number, message?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#isProposed && code === GrpcCode.ok)
      (this.#operation ?? this.#span).event("Receive raft result");
    this.#operation?.end();
    for (const span of this.#begun) span.end();
    this.#span.end(code, message);
  }

  /** A span within the call's, which ends with it. */
  begin(name: string, attributes: SpanAttributes): void {
    if (!this.#isOver) this.#begun.push(this.#span.child(name, attributes));
  }

  get path(): string {
    return this.#call.path;
  }
  get metadata(): Metadata {
    return this.#call.metadata;
  }
  get peer(): Peer {
    return this.#call.peer;
  }
  get timeoutMs(): number | undefined {
    return this.#call.timeoutMs;
  }
  get cancelled(): boolean {
    return this.#call.cancelled;
  }
  get pendingBytes(): number {
    return this.#call.pendingBytes;
  }
  onCancel(callback: () => void): void {
    this.#call.onCancel(callback);
  }
  respond(message: Uint8Array): void {
    this.#end(GrpcCode.ok);
    this.#call.respond(message);
  }
  respondParts(parts: readonly Uint8Array[]): void {
    this.#end(GrpcCode.ok);
    this.#call.respondParts(parts);
  }
  sendHeaders(): void {
    this.#call.sendHeaders();
  }
  write(message: Uint8Array): boolean {
    return this.#call.write(message);
  }
  onDrain(callback: () => void): void {
    this.#call.onDrain(callback);
  }
  end(): void {
    this.#end(GrpcCode.ok);
    this.#call.end();
  }
  fail(error: EtcdError): void {
    this.#end(error.code, error.message);
    this.#call.fail(error);
  }
  pause(): void {
    this.#call.pause();
  }
  resume(): void {
    this.#call.resume();
  }
}
