/**
 * gRPC calls to a set of endpoints: connections are made to all of them, calls go round those that stand, and wait when
 * none does (grpc-go's round_robin with WaitForReady). A command is mostly done with the first that answers, so the
 * others are begun a little later, or as soon as one has failed.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ConnectionOptions } from "node:tls";
import { EtcdError, GrpcCode } from "../errors/etcd-error.ts";
import { PatientTimer } from "../lib/patient-timer.ts";
import type { Field } from "../transport/hpack/encoder.ts";
import { type Endpoint, parseEndpoint } from "./endpoint.ts";
import { ClientConnection, type KeepAlive } from "./http2/connection.ts";
import { dial } from "./http2/dial.ts";
import { HeadBlocks } from "./http2/head-blocks.ts";
import type { StreamListener } from "./http2/stream.ts";

export interface ChannelOptions {
  /** Certificates and the like; undefined for connections without TLS, unless an endpoint says `https`. */
  readonly tls?: ConnectionOptions | undefined;
  readonly keepAlive?: KeepAlive;
  /** Larger requests are refused before they are sent. Default 2 MiB. */
  readonly maxSendBytes?: number;
  /** Larger answers are refused. Default 2^31 - 1. */
  readonly maxReceiveBytes?: number;
}

export interface CallOptions {
  readonly metadata?: readonly Field[];
  /** When the call has to be over, by `performance.now()`. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a client asks of its channel. */
export type CallChannel = Pick<Channel, keyof Channel>;

/** A call that is under way. */
export interface OpenCall {
  send(message: Uint8Array): void;
  halfClose(): void;
  /** Gives it up. Its listener hears nothing more. */
  cancel(): void;
  /** More messages may come, after the listener said no. */
  take(): void;
}

const connectTimeoutMs = 20_000;
/** grpc-go's: 1 s after the first failure, then 1.6 times as long each time. */
const backoff = { firstMs: 1_000, factor: 1.6, maxMs: 120_000, jitter: 0.2 } as const;
/** Between the beginnings of connections to two endpoints. */
const staggerMs = 250;
const noKeepAlive: KeepAlive = { timeMs: 0, timeoutMs: 20_000 };

/** Where a call goes. */
interface Picked {
  readonly connection: ClientConnection;
  readonly heads: HeadBlocks;
}

/** The keeper of the connection to one endpoint. */
class Subchannel {
  readonly endpoint: Endpoint;
  readonly heads: HeadBlocks;
  connection: ClientConnection | undefined;
  lastError: string | undefined;
  readonly #options: ChannelOptions;
  readonly #onChange: (subchannel: Subchannel) => void;
  readonly #closed = new AbortController();
  #isStarted = false;

  constructor(endpoint: Endpoint, options: ChannelOptions, onChange: (one: Subchannel) => void) {
    this.endpoint = endpoint;
    const isSecure =
      endpoint.tls === "always" || (endpoint.tls === "if-configured" && options.tls !== undefined);
    this.heads = new HeadBlocks({ scheme: isSecure ? "https" : "http", authority: endpoint.authority });
    this.#options = options;
    this.#onChange = onChange;
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Begins to connect, unless it has. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    void this.#run();
  }

  /** Connects, and again when the connection ends, until it is closed. */
  async #run(): Promise<void> {
    let waitMs: number = backoff.firstMs;
    while (!this.#closed.signal.aborted) {
      const startedMs = performance.now();
      try {
        const socket = await dial(this.endpoint, { tls: this.#options.tls, timeoutMs: connectTimeoutMs });
        if (this.#closed.signal.aborted) {
          socket.destroy();
          return;
        }
        const ended = Promise.withResolvers<void>();
        const { keepAlive = noKeepAlive } = this.#options;
        const connection = new ClientConnection(socket, keepAlive, ended.resolve);
        await inTime(connection);
        this.connection = connection;
        this.lastError = undefined;
        waitMs = backoff.firstMs;
        this.#onChange(this);
        await ended.promise;
        this.connection = undefined;
        continue;
      } catch (error) {
        this.lastError = (error as Error).message;
        this.#onChange(this);
      }
      const jittered = waitMs * (1 + backoff.jitter * (2 * Math.random() - 1));
      const restMs = Math.max(0, jittered - (performance.now() - startedMs));
      await delay(restMs, undefined, { signal: this.#closed.signal, ref: false }).catch(() => {});
      waitMs = Math.min(backoff.maxMs, waitMs * backoff.factor);
    }
  }

  close(): void {
    this.#closed.abort();
    this.connection?.close();
  }
}

export class Channel {
  readonly #options: ChannelOptions;
  #subchannels: Subchannel[] = [];
  #turn = 0;
  #isClosed = false;
  #stagger: ReturnType<typeof setTimeout> | undefined;
  readonly #waiters = new Set<() => void>();

  /** Throws if there is no endpoint. */
  constructor(endpoints: readonly string[], options: ChannelOptions = {}) {
    this.#options = options;
    this.setEndpoints(endpoints);
  }

  get endpoints(): readonly string[] {
    return this.#subchannels.map(({ endpoint }) => endpoint.text);
  }

  /** Connections to endpoints that stay are kept. */
  setEndpoints(endpoints: readonly string[]): void {
    if (endpoints.length === 0) throw new Error("etcdclient: no available endpoints");
    const old = new Map(this.#subchannels.map((subchannel) => [subchannel.endpoint.text, subchannel]));
    this.#subchannels = [...new Set(endpoints)].map((text) => {
      const kept = old.get(text);
      old.delete(text);
      return kept ?? new Subchannel(parseEndpoint(text), this.#options, (one) => this.#onChange(one));
    });
    for (const gone of old.values()) gone.close();
    this.#turn = Math.floor(Math.random() * this.#subchannels.length);
    this.#startNext();
  }

  /** The next in turn, and after a while the one behind it. */
  #startNext(): void {
    clearTimeout(this.#stagger);
    const { length } = this.#subchannels;
    for (let tried = 0; tried < length && !this.#isClosed; tried++) {
      const subchannel = this.#subchannels[(this.#turn + tried) % length]!;
      if (subchannel.isStarted) continue;
      subchannel.start();
      this.#stagger = setTimeout(() => this.#startNext(), staggerMs);
      this.#stagger.unref?.();
      return;
    }
  }

  #onChange(subchannel: Subchannel): void {
    if (subchannel.lastError !== undefined) this.#startNext();
    this.#wake();
  }

  /** What keeps calls waiting, as grpc-go tells it; undefined if nothing failed. */
  get connectError(): string | undefined {
    const text = this.#subchannels.find(({ lastError }) => lastError !== undefined)?.lastError;
    return text && `connection error: desc = ${JSON.stringify(text)}`;
  }

  /** The addresses of the connection that the latest call went to. */
  latest: ClientConnection | undefined;

  /**
   * Begins a call on the next connection that stands, waiting for one if need be. Rejects with an EtcdError when the
   * deadline passes first, and with the signal's reason.
   */
  async open(path: string, listener: StreamListener, options: CallOptions = {}): Promise<OpenCall> {
    return (
      this.openNow(path, listener, options) ??
      this.#openOn(await this.#ready(options), path, listener, options)
    );
  }

  /** As `open`, without a promise: undefined if no connection stands. What `open` rejects with is thrown. */
  openNow(path: string, listener: StreamListener, options: CallOptions = {}): OpenCall | undefined {
    const picked = this.#pick();
    return picked && this.#openOn(picked, path, listener, options);
  }

  #openOn(picked: Picked, path: string, listener: StreamListener, options: CallOptions): OpenCall {
    this.latest = picked.connection;
    const { deadlineMs, signal } = options;
    if (signal?.aborted) throw new EtcdError(GrpcCode.canceled, "context canceled");
    const leftMs = deadlineMs === undefined ? undefined : deadlineMs - performance.now();
    if (leftMs !== undefined && leftMs <= 0) throw this.#late();
    const settled = { timer: undefined as PatientTimer | undefined };
    const settle = (): void => {
      settled.timer?.cancel();
      signal?.removeEventListener("abort", onAbort);
    };
    const stream = picked.connection.open(this.#block(path, picked.heads, leftMs, options), {
      onMessage: (message) => listener.onMessage(message),
      onEnd: (error, isUnseen) => {
        settle();
        listener.onEnd(error, isUnseen);
      },
    });
    stream.maxMessageBytes = this.#options.maxReceiveBytes ?? 0x7fffffff;
    const giveUp = (error: EtcdError): void => {
      settle();
      stream.cancel();
      listener.onEnd(error, false);
    };
    const onAbort = (): void => giveUp(new EtcdError(GrpcCode.canceled, "context canceled"));
    if (leftMs !== undefined && leftMs < 0x7fffffff) {
      const late = new EtcdError(GrpcCode.deadlineExceeded, "context deadline exceeded");
      settled.timer = new PatientTimer(leftMs, () => giveUp(late));
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    return {
      send: (message) => {
        const limit = this.#options.maxSendBytes ?? 2 * 1024 * 1024;
        if (message.length > limit) {
          giveUp(
            new EtcdError(
              GrpcCode.resourceExhausted,
              `trying to send message larger than max (${message.length} vs. ${limit})`,
            ),
          );
        } else stream.send(message);
      },
      halfClose: () => stream.halfClose(),
      cancel: () => {
        settle();
        stream.cancel();
      },
      take: () => stream.take(),
    };
  }

  #block(path: string, heads: HeadBlocks, leftMs: number | undefined, { metadata }: CallOptions): Uint8Array {
    if (leftMs === undefined) return heads.blockOf(path, metadata ?? []);
    return heads.blockOf(path, [["grpc-timeout", timeoutText(leftMs)], ...(metadata ?? [])]);
  }

  #pick(): Picked | undefined {
    for (let tried = 0; tried < this.#subchannels.length; tried++) {
      const { connection, heads } = this.#subchannels[this.#turn++ % this.#subchannels.length]!;
      if (connection?.isUsable) return { connection, heads };
    }
    return undefined;
  }

  async #ready(options: CallOptions): Promise<Picked> {
    const { deadlineMs, signal } = options;
    for (;;) {
      if (this.#isClosed) throw new EtcdError(GrpcCode.canceled, "grpc: the client connection is closing");
      if (signal?.aborted) throw new EtcdError(GrpcCode.canceled, "context canceled");
      const found = this.#pick();
      if (found !== undefined) return found;
      const leftMs = deadlineMs === undefined ? undefined : deadlineMs - performance.now();
      if (leftMs !== undefined && leftMs <= 0) throw this.#late();
      await this.#change(leftMs, signal);
    }
  }

  #late(): EtcdError {
    const why = this.connectError;
    const text = why === undefined ? "context deadline exceeded" : `latest balancer error: ${why}`;
    return new EtcdError(GrpcCode.deadlineExceeded, text);
  }

  /** Waits until a connection stands or fails, at most that long. */
  #change(timeoutMs: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : new PatientTimer(timeoutMs, () => done());
      const done = (): void => {
        timer?.cancel();
        this.#waiters.delete(done);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      this.#waiters.add(done);
      signal?.addEventListener("abort", done, { once: true });
    });
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter();
  }

  /** Ends all calls. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#stagger);
    for (const subchannel of this.#subchannels) subchannel.close();
    this.#wake();
  }
}

/** Waits for the server's greeting, but not for ever: something else may listen there. */
async function inTime(connection: ClientConnection): Promise<void> {
  const timer = new PatientTimer(connectTimeoutMs, () => connection.close());
  try {
    await connection.ready;
  } finally {
    timer.cancel();
  }
}

/** At most eight digits and a unit. */
function timeoutText(ms: number): string {
  const micros = Math.ceil(ms * 1000);
  if (micros < 1e8) return `${micros}u`;
  return ms < 1e8 ? `${Math.ceil(ms)}m` : `${Math.min(99_999_999, Math.ceil(ms / 1000))}S`;
}
