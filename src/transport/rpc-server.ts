import type { Socket } from "node:net";
import type { TlsOptions } from "node:tls";
import { type AnswerLimits, AnswerMemory } from "../lib/answer-memory.ts";
import { defaultFetchLimits, type FetchLimits } from "./fetch/fetch-limits.ts";
import { Http1Server } from "./fetch/http1-server.ts";
import { type FetchService, Http2Exchange } from "./fetch/http2-exchange.ts";
import type { FetchHandler, GrpcLimits, GrpcRoutes, Peer } from "./grpc.ts";
import type { CallRecords, MethodCounters } from "./grpc-server/call-records.ts";
import { GrpcService } from "./grpc-server/grpc-service.ts";
import { type CallPlan, isGrpc } from "./grpc-server/plan.ts";
import { ResponseBlocks } from "./grpc-server/response-blocks.ts";
import { Http2Connection } from "./http2/connection.ts";
import type { Http2Application, Http2Environment } from "./http2/environment.ts";
import { type ConnectionLimits, defaultConnectionLimits } from "./http2/limits.ts";
import { BufferPool, FlushQueue } from "./http2/output.ts";
import { ConnectionError, defaultHeaderTableBytes } from "./http2/protocol.ts";
import type { RequestHead } from "./http2/request-head.ts";
import type { Http2Stream } from "./http2/stream.ts";
import { parseListenUrl } from "./listen/listen-url.ts";
import { type ConnectionSink, Listener } from "./listen/listener.ts";
import type { TlsGate } from "./listen/tls-gate.ts";
import { CoarseTimers } from "./timers/coarse-timers.ts";

/** Requests that all connections together may keep while they are incomplete or unread. */
export const defaultRequestMemoryBytes = 512 * 1024 * 1024;

/** Who wants to know what goes on. All are optional; none may throw. */
export interface TransportObserver {
  /** Something is wrong with us: a handler threw what is no EtcdError, or a handler floods a slow client. */
  onFault?(cause: unknown): void;
  /** We ended a connection: the peer broke the protocol or a limit. */
  onConnectionError?(cause: ConnectionError, peer: Peer): void;
  /** A TLS handshake failed. */
  onTlsError?(cause: Error, remoteAddress: string): void;
  /** A connection was closed because of what it began with: TLS where there is none. */
  onWrongStart?(reason: string, remoteAddress: string): void;
  /** The fields of a request's head or trailers: name, value, name, value ... Costs time when it is there. */
  onFields?(fields: readonly string[]): void;
}

/** Numbers for metrics; they only grow, except the two that begin with `open`. */
export interface TransportCounters {
  openHttp2Connections: number;
  openHttp1Connections: number;
  connectionsAccepted: number;
  connectionErrors: number;
  streamsOpened: number;
  streamsRefused: number;
  streamsReset: number;
  /** Octets of gRPC messages (etcd_network_client_grpc_received_bytes_total and ..._sent_bytes_total). */
  grpcReceivedBytes: number;
  grpcSentBytes: number;
}

export interface RpcServerOptions {
  readonly routes: GrpcRoutes;
  /** Everything on the port that is not gRPC. */
  readonly fetch: FetchHandler;
  readonly limits: GrpcLimits;
  readonly observer?: TransportObserver;
  readonly connectionLimits?: Partial<ConnectionLimits>;
  readonly fetchLimits?: Partial<FetchLimits>;
  readonly requestMemoryBytes?: number;
  readonly answerLimits?: Partial<AnswerLimits>;
  /** What is counted of calls; the routes' own if not given. */
  readonly records?: CallRecords | undefined;
}

export interface ListenSettings {
  /** For the URLs that want it. */
  readonly tls?: TlsOptions | TlsGate | undefined;
  readonly reusePort?: boolean | undefined;
}

/** Serves gRPC, and any other HTTP, on as many sockets as wanted. DESIGN.md beside this file says how. */
export class RpcServer {
  private readonly grpc: GrpcService;
  private readonly fetchService: FetchService;
  private readonly environment: Http2Environment;
  private readonly http1: Http1Server;
  /** What the answers of all connections take up. */
  readonly answers: AnswerMemory;
  private readonly observer: TransportObserver;
  private readonly listeners = new Set<Listener>();
  private readonly connections = new Set<Http2Connection>();
  private connectionsAccepted = 0;
  private isStopping = false;
  private onIdle: (() => void) | undefined = undefined;

  constructor(options: RpcServerOptions) {
    const { limits, observer = {} } = options;
    this.observer = observer;
    const onFault = (cause: unknown): void => observer.onFault?.(cause);
    const connectionLimits = makeConnectionLimits(options);
    this.grpc = new GrpcService({
      routes: options.routes,
      maxReceiveBytes: limits.maxReceiveBytes,
      onError: onFault,
      records: options.records,
    });
    const fetchLimits = makeFetchLimits(options);
    this.fetchService = { handler: options.fetch, limits: fetchLimits, onError: onFault };
    const timers = new CoarseTimers();
    const clock = {
      monotonicMs: () => performance.now(),
      nextTurn: (callback: () => void) => void setImmediate(callback),
      after: (delayMs: number, callback: () => void) => timers.arm(delayMs, { onTimer: callback }),
    };
    this.answers = new AnswerMemory(clock, options.answerLimits);
    this.environment = {
      limits: connectionLimits,
      keepalive: limits,
      application: this.makeApplication(),
      timers,
      clock,
      pool: new BufferPool(),
      flushQueue: new FlushQueue(() => timers.now()),
      requestMemory: {
        usedBytes: 0,
        maxBytes: Math.max(
          options.requestMemoryBytes ?? defaultRequestMemoryBytes,
          2 * limits.maxReceiveBytes,
        ),
      },
      counters: { streamsOpened: 0, streamsRefused: 0, streamsReset: 0, connectionErrors: 0 },
      onError: (cause, connection) => {
        if (cause instanceof ConnectionError) observer.onConnectionError?.(cause, connection.peer as Peer);
        else onFault(cause);
      },
      onFields: observer.onFields?.bind(observer),
      onClosed: (connection) => {
        this.connections.delete(connection);
        if (this.connections.size === 0) this.onIdle?.();
      },
    };
    this.http1 = new Http1Server(this.fetchService, timers, () => this.onIdle?.());
  }

  /** What each method has done, by path. */
  get methods(): ReadonlyMap<string, { readonly counters: MethodCounters }> {
    return this.grpc.routes;
  }

  /** Bytes of requests that are kept because they are incomplete or nobody reads them. */
  get heldRequestBytes(): number {
    return this.environment.requestMemory.usedBytes;
  }

  get counters(): TransportCounters {
    return {
      openHttp2Connections: this.connections.size,
      openHttp1Connections: this.http1.openConnections,
      connectionsAccepted: this.connectionsAccepted,
      ...this.environment.counters,
      grpcReceivedBytes: this.grpc.counters.receivedBytes,
      grpcSentBytes: this.grpc.counters.sentBytes,
    };
  }

  /** Listens on one of etcd's URLs. Rejects if the URL is none, or with the system's error. */
  async listen(url: string, tls?: TlsOptions | TlsGate): Promise<Listener> {
    const [listener] = await this.listenAll([url], { tls });
    return listener!;
  }

  /** Listens on several URLs; an `http` and an `https` one with the same address share a socket, as in etcd. If one
   * cannot be had, none is. */
  async listenAll(urls: readonly string[], { tls, reusePort }: ListenSettings = {}): Promise<Listener[]> {
    const groups = Map.groupBy(urls.map(parseListenUrl), ({ key }) => key);
    const opened: Listener[] = [];
    const { timers, limits } = this.environment;
    try {
      for (const addresses of groups.values()) {
        const options = {
          addresses,
          tls,
          reusePort,
          sink: this.makeSink(),
          timers,
          prefaceTimeoutMs: limits.prefaceTimeoutMs,
        };
        opened.push(await Listener.open(options));
      }
    } catch (cause) {
      for (const listener of opened) listener.close();
      throw cause;
    }
    for (const listener of opened) this.listeners.add(listener);
    return opened;
  }

  /**
   * Takes no more connections, asks clients to go elsewhere (GOAWAY), lets running calls end for at most `graceMs`
   * milliseconds, and then closes what is left. Resolves when all connections are closed.
   */
  async shutdown(graceMs: number): Promise<void> {
    this.isStopping = true;
    for (const listener of this.listeners) listener.close();
    this.listeners.clear();
    this.http1.stop();
    for (const connection of this.connections) connection.drain();
    await this.untilIdle(graceMs);
    for (const connection of this.connections) connection.destroy();
    this.http1.destroyAll();
  }

  private untilIdle(timeoutMs: number): Promise<void> {
    const isIdle = (): boolean => this.connections.size === 0 && this.http1.openConnections === 0;
    if (isIdle()) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.environment.timers.arm(timeoutMs, { onTimer: resolve });
      this.onIdle = () => {
        if (!isIdle()) return;
        timer.cancel();
        resolve();
      };
    });
  }

  private makeSink(): ConnectionSink {
    return {
      onHttp2: (socket, peer, first) => this.onHttp2(socket, peer, first),
      onHttp1: (socket, peer, first) => {
        this.connectionsAccepted++;
        this.http1.accept(socket, { ...peer, room: this.answers.open() }, first);
      },
      onTlsError: (cause, remoteAddress) => this.observer.onTlsError?.(cause, remoteAddress),
      onWrongStart: (reason, remoteAddress) => this.observer.onWrongStart?.(reason, remoteAddress),
    };
  }

  private onHttp2(socket: Socket, peer: Peer, first: Buffer): void {
    this.connectionsAccepted++;
    const room = this.answers.open();
    const connection = new Http2Connection(this.environment, socket, { ...peer, room }, room);
    connection.encoding = new ResponseBlocks();
    this.connections.add(connection);
    connection.start(first);
    if (this.isStopping) connection.drain();
  }

  private makeApplication(): Http2Application {
    const ordinary = { kind: "fetch" } as const;
    return {
      makeStream: (connection: Http2Connection, id: number, head: RequestHead): Http2Stream => {
        if (head.plan === undefined) {
          head.plan = isGrpc(head.contentType) ? this.grpc.plan(head, head.contentType) : ordinary;
        }
        const plan = head.plan as CallPlan | typeof ordinary;
        if (plan.kind === "fetch") return new Http2Exchange(connection, id, head, this.fetchService);
        return this.grpc.makeStream(connection, id, head, plan);
      },
      onPeerHeaderTable: (connection: Http2Connection): void => {
        if (connection.peerHeaderTableBytes >= defaultHeaderTableBytes) return;
        const blocks = connection.encoding as ResponseBlocks;
        if (blocks.useLiterals()) connection.frames.mustEmptyTable = true;
      },
    };
  }
}

/** The largest message fits into a body as JSON, where base64 and names take room. */
function makeFetchLimits({ limits, fetchLimits }: RpcServerOptions): FetchLimits {
  const maxBodyBytes = Math.max(defaultFetchLimits.maxBodyBytes, 2 * limits.maxReceiveBytes);
  return { ...defaultFetchLimits, maxBodyBytes, ...fetchLimits };
}

function makeConnectionLimits(options: RpcServerOptions): ConnectionLimits {
  const merged = { ...defaultConnectionLimits, ...options.connectionLimits };
  return {
    ...merged,
    // etcd's default is "no limit"; ours is a number, because every open stream costs memory.
    maxConcurrentStreams: Math.min(merged.maxConcurrentStreams, options.limits.maxConcurrentStreams),
    maxBufferedRequestBytes: Math.max(merged.maxBufferedRequestBytes, 2 * options.limits.maxReceiveBytes),
  };
}
