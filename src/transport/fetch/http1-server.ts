import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import type { Peer } from "../grpc.ts";
import type { CoarseTimers, TimerEntry } from "../timers/coarse-timers.ts";
import { BodyQueue } from "./body-queue.ts";
import { Http1Response } from "./http1-response.ts";
import type { FetchService } from "./http2-exchange.ts";
import { answer, plainResponse } from "./respond.ts";
import { asksForWebSocket, headersOf, writePlainly } from "./upgrade.ts";
import type { WebSocketConnection } from "./web-socket/web-socket.ts";

/** A connection of HTTP/1.1 between two requests. */
interface Connection {
  readonly peer: Peer;
  timer: TimerEntry | undefined;
}

/**
 * HTTP/1.1 for the sockets that turn out to speak it. node:http parses; it never listens by itself, so its own
 * timeouts do not run, and those here stand in for them.
 */
export class Http1Server {
  private readonly service: FetchService;
  private readonly timers: CoarseTimers;
  private madeServer: Server | undefined;
  private readonly connections = new Map<Socket, Connection>();
  private readonly webSockets = new Set<WebSocketConnection>();
  private readonly onIdle: () => void;
  private isStopping = false;

  /** `onIdle` is called when the last connection is closed. */
  constructor(service: FetchService, timers: CoarseTimers, onIdle: () => void) {
    this.onIdle = onIdle;
    this.service = service;
    this.timers = timers;
  }

  /** Made for the first connection: who is only ever spoken to in gRPC, or in its own process, need not load node:http. */
  private get server(): Server {
    this.madeServer ??= this.makeServer();
    return this.madeServer;
  }

  private makeServer(): Server {
    const { service } = this;
    // Not by `import()`, for a socket that waits for it would have to be told so.
    const { createServer } = createRequire(import.meta.url)("node:http") as typeof import("node:http");
    const shouldUpgradeCallback = (incoming: IncomingMessage): boolean => this.isForWebSocket(incoming);
    const server = createServer(
      { keepAliveTimeout: 0, maxHeaderSize: service.limits.maxHeadBytes, shouldUpgradeCallback },
      (request, response) => this.onRequest(request, response),
    );
    if (service.handler.webSockets !== undefined) {
      server.on("upgrade", (incoming, socket, head) => {
        void this.onUpgrade(incoming, socket as Socket, head).catch(service.onError);
      });
    }
    // Deno closes a connection after its first answer unless its server seems to listen.
    Object.defineProperty(server, "listening", { value: true });
    server.on("clientError", (cause, socket) => refuseMalformed(cause, socket as Socket));
    return server;
  }

  /** Takes over a socket. `first` is what was read from it already. */
  accept(socket: Socket, peer: Peer, first: Buffer): void {
    const connection: Connection = { peer, timer: undefined };
    this.connections.set(socket, connection);
    // Others need the memory that answers take up here, and they are not read.
    if (peer.room !== undefined) peer.room.shed = () => socket.destroy();
    socket.on("close", () => {
      connection.timer?.cancel();
      this.connections.delete(socket);
      if (this.connections.size === 0) this.onIdle();
    });
    this.arm(socket, connection, this.service.limits.headTimeoutMs);
    socket.unshift(first);
    this.server.emit("connection", socket);
    socket.resume();
  }

  get openConnections(): number {
    return this.connections.size;
  }

  /** Ends idle connections now, and the others after the answer they are at. */
  stop(): void {
    this.isStopping = true;
    for (const [socket, { timer }] of this.connections) {
      if (timer !== undefined) socket.destroy();
    }
    for (const webSocket of this.webSockets) webSocket.close(goingAway);
  }

  destroyAll(): void {
    for (const socket of this.connections.keys()) socket.destroy();
  }

  /** The connection is closed unless a request's head is complete in time. */
  private arm(socket: Socket, connection: Connection, timeoutMs: number): void {
    connection.timer?.cancel();
    connection.timer = this.timers.arm(timeoutMs, { onTimer: () => socket.destroy() });
  }

  private onRequest(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming;
    const connection = this.connections.get(socket);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    connection.timer?.cancel();
    connection.timer = undefined;
    if (this.isStopping) outgoing.setHeader("connection", "close");
    outgoing.on("finish", () => {
      if (this.isStopping) socket.end();
      else if (!socket.destroyed) this.arm(socket, connection, this.service.limits.idleTimeoutMs);
    });
    const sink = new Http1Response(outgoing, this.service.limits.bodyHighWaterBytes);
    const { handler, limits, onError } = this.service;
    if (Number(incoming.headers["content-length"] ?? 0) > limits.maxBodyBytes) {
      outgoing.setHeader("connection", "close");
      void refuse(sink, 413, "request body too large");
      return;
    }
    let request: Request;
    try {
      if (incoming.httpVersion === "1.1" && !incoming.headers.host) throw new Error("no host");
      request = this.toRequest(incoming, outgoing, connection.peer);
    } catch {
      void refuse(sink, 400, "bad request");
      return;
    }
    void answer(handler, request, connection.peer, sink, onError);
  }

  private isForWebSocket(incoming: IncomingMessage): boolean {
    const { webSockets } = this.service.handler;
    const path = (incoming.url ?? "").replace(/[?#].*/, "");
    return webSockets?.hasPath(path) === true && asksForWebSocket(incoming);
  }

  private async onUpgrade(incoming: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const connection = this.connections.get(socket);
    const { handler, limits, onError } = this.service;
    // Who asks before the last answer is complete, or sends before there is one to this, does not mean well.
    if (connection?.timer === undefined || this.isStopping) {
      socket.destroy();
      return;
    }
    socket.pause();
    if (!this.isForWebSocket(incoming)) {
      // Runtimes that do not ask `shouldUpgradeCallback`: the request is read again, without what it wishes for.
      socket.unshift(Buffer.concat([writePlainly(incoming), head]));
      this.server.emit("connection", socket);
      socket.resume();
      return;
    }
    const { peer } = connection;
    const { openWebSocket } = await import("./web-socket/open.ts");
    const request = { incoming, socket, head, peer, url: urlOf(incoming, peer) };
    const webSocket = await openWebSocket(request, { handler, limits, onError, timers: this.timers });
    if (webSocket === undefined) return;
    connection.timer?.cancel();
    connection.timer = undefined;
    this.webSockets.add(webSocket);
    socket.on("close", () => this.webSockets.delete(webSocket));
    if (this.isStopping) webSocket.close(goingAway);
  }

  private toRequest(incoming: IncomingMessage, outgoing: ServerResponse, peer: Peer): Request {
    const { method = "GET" } = incoming;
    const headers = headersOf(incoming);
    const url = urlOf(incoming, peer);
    const controller = new AbortController();
    const { signal } = controller;
    outgoing.on("close", () => {
      if (!outgoing.writableFinished) controller.abort();
    });
    if (method === "GET" || method === "HEAD") return new Request(url, { method, headers, signal });
    const body = this.readBody(incoming, () => outgoing.headersSent);
    return new Request(url, { method, headers, body, signal, duplex: "half" } as RequestInit);
  }

  /** The request's body as a stream that makes the client wait for its reader. */
  private readBody(incoming: IncomingMessage, isAnswered: () => boolean): ReadableStream<Uint8Array> {
    const { maxBodyBytes, bodyHighWaterBytes } = this.service.limits;
    let received = 0;
    let held = 0;
    const queue = new BodyQueue((bytes) => {
      held -= bytes;
      if (held < bodyHighWaterBytes) incoming.resume();
    });
    incoming.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received > maxBodyBytes && !isAnswered()) {
        queue.fail(new Error("request body too large"));
        incoming.socket.destroy();
      } else if (queue.isWanted) {
        held += chunk.length;
        queue.push(chunk);
        if (held >= bodyHighWaterBytes) incoming.pause();
      }
    });
    let isWhole = false;
    incoming.on("end", () => {
      isWhole = true;
      queue.end();
    });
    incoming.on("error", () => {});
    incoming.on("close", () => {
      if (!isWhole) queue.fail(new Error("the client went away"));
    });
    return queue.stream;
  }
}

/** The status of a WebSocket whose server stops (RFC 6455, 7.4.1). */
const goingAway = 1001;

/** Throws if the target is none. */
function urlOf({ headers, url = "/" }: IncomingMessage, peer: Peer): URL {
  const scheme = peer.secure ? "https" : "http";
  return new URL(url.startsWith("/") ? `${scheme}://${headers.host || "localhost"}${url}` : url);
}

function refuse(sink: Http1Response, status: number, text: string): Promise<void> {
  const request = new Request("http://localhost/");
  return answer(
    () => plainResponse(status, text),
    request,
    { address: "", secure: false },
    sink,
    () => {},
  );
}

function refuseMalformed(cause: Error, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const isLong = (cause as { code?: string }).code === "HPE_HEADER_OVERFLOW";
  const status = isLong ? "431 Request Header Fields Too Large" : "400 Bad Request";
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n` +
      `Content-Length: ${status.length}\r\n\r\n${status}`,
  );
}
