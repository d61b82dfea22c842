/**
 * What the transport offers to those above it: gRPC calls as bytes. It knows nothing of messages or services.
 *
 * Everything is a callback and not a promise because a server that answers 200,000 calls a second cannot afford
 * several promises for each: a unary handler that knows the answer calls `respond` before it returns, and all the
 * answers of one event-loop turn leave in one write per connection.
 */
import type { EtcdError } from "../errors/etcd-error.ts";
import type { AnswerRoom } from "../lib/answer-room.ts";
import type { Histogram } from "../lib/metrics.ts";

/** What may come around a request of the largest allowed size. An etcd splits what it tells watches by the same sum. */
export const grpcOverheadBytes = 512 * 1024;

/** Who is at the other end of a connection. */
export interface Peer {
  /** `ip:port`, or the path of a unix socket. */
  readonly address: string;
  readonly secure: boolean;
  /** The subject common name of a verified client certificate, if there was one. */
  readonly certificateCommonName?: string | undefined;
  /** What answers on its connection take up until they are read. None for whoever is in this process. */
  readonly room?: AnswerRoom | undefined;
}

/** Request metadata. Names are lower case. */
export interface Metadata {
  get(name: string): string | undefined;
  entries(): Iterable<readonly [string, string]>;
}

/** One call, seen by its handler. After `respond`, `end` or `fail`, or once `cancelled`, writes do nothing. */
export interface GrpcCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly metadata: Metadata;
  readonly peer: Peer;
  /** Milliseconds left of the client's `grpc-timeout`, or undefined without one. */
  readonly timeoutMs: number | undefined;
  /** True once the client went away, reset the stream, or its deadline passed. */
  readonly cancelled: boolean;
  /** True once the call has its status, whoever ended it, where that is known. */
  readonly isOver?: boolean;
  /** `callback` runs once when the call becomes cancelled (at once if it is already). */
  onCancel(callback: () => void): void;

  /** The whole answer of a unary call: headers, one message, trailers with status 0. The bytes may be kept until
   * they are written, so they must not change afterwards. */
  respond(message: Uint8Array): void;
  /** As `respond`, for an answer too large to be one array: the message is the concatenation of `parts`. */
  respondParts(parts: readonly Uint8Array[]): void;

  /** Sends the response headers now (a watch stream answers before its first message). Optional. */
  sendHeaders(): void;
  /**
   * Queues one message of a streaming answer. Returns false when more than the high-water mark (256 KiB) of this
   * call waits to be sent (peer's window closed, socket full): then a careful producer waits for `onDrain`.
   */
  write(message: Uint8Array): boolean;
  /** Bytes of this call that wait to be sent. */
  readonly pendingBytes: number;
  /** `callback` runs each time the waiting bytes fall under half of the high-water mark after `write` said false. */
  onDrain(callback: () => void): void;
  /** Ends a streaming answer with status 0. */
  end(): void;
  /** Ends the call with an error status, headers first if none were sent. */
  fail(error: EtcdError): void;

  /** Stops reading the client's messages (its stream window then fills up), and goes on. Streaming requests only. */
  pause(): void;
  resume(): void;
}

/** A method with one request message: unary or server-streaming. `message` may be kept: it is never overwritten. */
export interface SingleRequestHandler {
  readonly kind: "single";
  onRequest(call: GrpcCall, message: Uint8Array): void;
}

/** A method with a stream of requests: what `open` returns gets them in order. */
export interface StreamRequestHandler {
  readonly kind: "stream";
  open(call: GrpcCall): { onMessage(message: Uint8Array): void; onHalfClose(): void };
}

export type GrpcHandler = SingleRequestHandler | StreamRequestHandler;

/** Path to handler. What is not in it is answered with `Unimplemented` ("unknown service X" / "unknown method Y for
 * service X", as grpc-go says it). */
export type GrpcRoutes = ReadonlyMap<string, GrpcHandler>;

/** Who wants to know how long calls take. */
export interface CallTimes {
  /** Milliseconds of a clock that never goes back; may be a little behind. */
  now(): number;
  /** Where the seconds of a method's calls are counted, if anywhere. Asked once for each path. */
  histogramOf(path: string): Histogram | undefined;
  /** A call with one request that takes longer is told of. */
  readonly slowMs: number;
  onSlow(call: EndedCall): void;
}

/** A call with one request, when it has its status. */
export interface EndedCall {
  readonly path: string;
  readonly peer: Peer;
  readonly tookMs: number;
  readonly request: Uint8Array;
  /** The parts of its answer, or none. */
  readonly response: readonly Uint8Array[];
}

export interface GrpcLimits {
  /** A larger request message is refused with ResourceExhausted, in grpc-go's words. */
  readonly maxReceiveBytes: number;
  /** `--max-concurrent-streams`: SETTINGS_MAX_CONCURRENT_STREAMS. */
  readonly maxConcurrentStreams: number;
  /** `--grpc-keepalive-min-time`: pings closer together than this end the connection with "too_many_pings". */
  readonly keepaliveMinTimeMs: number;
  /** `--grpc-keepalive-interval`: how long a silent connection waits before it is pinged; 0 is never. */
  readonly keepaliveIntervalMs: number;
  /** `--grpc-keepalive-timeout`: how long the answer to that ping may take. */
  readonly keepaliveTimeoutMs: number;
}

/** Answers everything on the port that is not gRPC: Hono's `fetch`. */
export interface FetchHandler {
  (request: Request, peer: Peer): Response | Promise<Response>;
  /** Who may have WebSockets; without, nobody, and who asks for one is answered as anybody else. */
  readonly webSockets?: WebSocketGuard;
}

/** A WebSocket carries a POST to its path: messages are lines of the request, lines of the answer are messages. */
export interface WebSocketGuard {
  hasPath(path: string): boolean;
  /** Resolves to the answer of who is refused. */
  check(request: Request, peer: Peer): Promise<Response | undefined>;
}
