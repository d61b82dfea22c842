/** Requests to other members. Every method rejects with what went wrong; a status is never an error here. */
import { Buffer } from "node:buffer";
import type { Clock, Timer } from "../../../lib/clock.ts";
import type { EtcdUrl } from "../../../lib/etcd-url.ts";
import { ClientConnection } from "./client-connection.ts";
import { aborted, dial, hostPort, type TlsSource } from "./dial.ts";
import { HttpError, type HttpHeaders, writeHead } from "./head.ts";
import type { Http1Limits } from "./limits.ts";
import type { HttpRequest, HttpResponse } from "./messages.ts";
import { joined } from "./plain.ts";
import { openResponse, type ResponseStream } from "./response-stream.ts";
import { type UploadBody, upload } from "./upload.ts";

export interface WaitOptions {
  /** For all of it, from dialling to the last byte. */
  readonly timeoutMs: number;
  /** A longer body is an error. */
  readonly maxBodyBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpClientOptions {
  readonly clock: Clock;
  readonly limits: Http1Limits;
  readonly dialTimeoutMs: number;
  readonly tls?: TlsSource | undefined;
  /** To connect from; the system chooses without it. */
  readonly localAddress?: string | undefined;
}

interface Idle {
  readonly connection: ClientConnection;
  readonly timer: Timer;
}

export class HttpClient {
  readonly #options: HttpClientOptions;
  /** Unused connections, by the URL they lead to. */
  readonly #idle = new Map<string, Idle[]>();
  readonly #all = new Set<ClientConnection>();
  #isClosed = false;

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** A small request and all of its answer. */
  async request(url: EtcdUrl, request: HttpRequest, options: WaitOptions): Promise<HttpResponse> {
    const deadlineMs = this.#options.clock.monotonicMs() + options.timeoutMs;
    for (;;) {
      const kept = this.#takeIdle(url);
      const connection = kept ?? (await this.#connect(url, options.signal));
      try {
        const response = await this.#exchange(connection, url, request, options, deadlineMs);
        this.#giveBack(url, connection);
        return response;
      } catch (error) {
        connection.destroy();
        // The server may have closed a kept connection just when we used it; or it has the request and not answered yet.
        if (kept === undefined || request.isOnce || connection.heardAnything) throw error;
        if (this.#isClosed || options.signal?.aborted) throw error;
        if (this.#options.clock.monotonicMs() >= deadlineMs) throw error;
      }
    }
  }

  /** A request whose answer has no end. The time to its head is limited by `timeoutMs`. */
  async open(
    url: EtcdUrl,
    request: HttpRequest,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<ResponseStream> {
    const connection = await this.#connect(url, options.signal);
    const opening = openResponse(connection, this.#bytesOf(url, request));
    return await this.#within(opening, connection, options.timeoutMs, options.signal);
  }

  /** A request whose body has no known length. */
  async upload(url: EtcdUrl, request: HttpRequest, body: UploadBody): Promise<HttpResponse> {
    const connection = await this.#connect(url, body.signal);
    try {
      const headers = { ...request.headers, "Transfer-Encoding": "chunked", Connection: "close" };
      const head = this.#bytesOf(url, { ...request, headers });
      return await upload(connection, head, body, this.#options.clock);
    } finally {
      connection.destroy();
    }
  }

  /** Drops the unused connections to this address. */
  forget(url: EtcdUrl): void {
    for (const { connection, timer } of this.#idle.get(url.href) ?? []) {
      timer.cancel();
      connection.destroy();
    }
    this.#idle.delete(url.href);
  }

  /** Ends everything under way. */
  close(): void {
    this.#isClosed = true;
    for (const list of this.#idle.values()) for (const { timer } of list) timer.cancel();
    this.#idle.clear();
    for (const connection of this.#all) connection.destroy(aborted());
  }

  async #connect(url: EtcdUrl, signal: AbortSignal | undefined): Promise<ClientConnection> {
    if (this.#isClosed) throw aborted();
    const { clock, dialTimeoutMs, tls, localAddress, limits } = this.#options;
    const socket = await dial(url, { clock, timeoutMs: dialTimeoutMs, tls, localAddress, signal });
    const connection: ClientConnection = new ClientConnection(socket, limits, () => {
      this.#all.delete(connection);
      this.#dropIdle(url, connection);
    });
    this.#all.add(connection);
    if (this.#isClosed) connection.destroy(aborted());
    return connection;
  }

  #exchange(
    connection: ClientConnection,
    url: EtcdUrl,
    request: HttpRequest,
    options: WaitOptions,
    deadlineMs: number,
  ): Promise<HttpResponse> {
    const answer = new Promise<HttpResponse>((resolve, reject) => {
      let status = 0;
      let headers: HttpHeaders = new Map();
      const parts: Uint8Array[] = [];
      let bytes = 0;
      connection.begin(this.#bytesOf(url, request), {
        head: (head) => {
          ({ status, headers } = head);
        },
        body: (part) => {
          bytes += part.length;
          if (bytes > options.maxBodyBytes) connection.destroy(new HttpError("response body too large"));
          else parts.push(part);
        },
        end: () => resolve({ status, headers, body: joined(parts) }),
        fail: reject,
      });
    });
    const leftMs = deadlineMs - this.#options.clock.monotonicMs();
    return this.#within(answer, connection, Math.max(1, leftMs), options.signal);
  }

  /** `work`, unless it takes too long or is called off; then the connection ends and with it the work. */
  async #within<T>(
    work: Promise<T>,
    connection: ClientConnection,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const timer = this.#options.clock.after(timeoutMs, () => connection.destroy(new Error("i/o timeout")));
    const onAbort = (): void => connection.destroy(aborted());
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort);
    try {
      return await work;
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #bytesOf(url: EtcdUrl, request: HttpRequest): Uint8Array {
    const { body } = request;
    const length = body === undefined ? {} : { "Content-Length": String(body.length) };
    const headers = { Host: hostPort(url), ...request.headers, ...length };
    const head = writeHead(`${request.method} ${request.path} HTTP/1.1`, headers);
    return body === undefined || body.length === 0 ? head : Buffer.concat([head, body]);
  }

  #takeIdle(url: EtcdUrl): ClientConnection | undefined {
    const list = this.#idle.get(url.href);
    for (let idle = list?.pop(); idle !== undefined; idle = list?.pop()) {
      idle.timer.cancel();
      if (idle.connection.isReusable) return idle.connection;
      idle.connection.destroy();
    }
    return undefined;
  }

  #giveBack(url: EtcdUrl, connection: ClientConnection): void {
    const list = this.#idle.get(url.href) ?? [];
    const { limits, clock } = this.#options;
    if (!connection.isReusable || this.#isClosed || list.length >= limits.idleConnections) {
      connection.destroy();
      return;
    }
    const timer = clock.after(limits.idleTimeoutMs, () => connection.destroy());
    list.push({ connection, timer });
    this.#idle.set(url.href, list);
  }

  #dropIdle(url: EtcdUrl, connection: ClientConnection): void {
    const list = this.#idle.get(url.href);
    const at = list?.findIndex((idle) => idle.connection === connection) ?? -1;
    if (list === undefined || at < 0) return;
    list[at]!.timer.cancel();
    list.splice(at, 1);
    if (list.length === 0) this.#idle.delete(url.href);
  }
}
