import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Peer } from "../grpc.ts";
import type { CoarseTimers, TimerEntry } from "../timers/coarse-timers.ts";
import { BodyQueue } from "./body-queue.ts";
import { Http1Response } from "./http1-response.ts";
import type { FetchService } from "./http2-exchange.ts";
import { answer, plainResponse } from "./respond.ts";

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
  private readonly server: Server;
  private readonly connections = new Map<Socket, Connection>();
  private readonly onIdle: () => void;
  private isStopping = false;

  /** `onIdle` is called when the last connection is closed. */
  constructor(service: FetchService, timers: CoarseTimers, onIdle: () => void) {
    this.onIdle = onIdle;
    this.service = service;
    this.timers = timers;
    this.server = createServer({ keepAliveTimeout: 0 }, (request, response) =>
      this.onRequest(request, response),
    );
    // Deno closes a connection after its first answer unless its server seems to listen.
    Object.defineProperty(this.server, "listening", { value: true });
    this.server.on("clientError", (_cause, socket) => refuseMalformed(socket as Socket));
  }

  /** Takes over a socket. `first` is what was read from it already. */
  accept(socket: Socket, peer: Peer, first: Buffer): void {
    const connection: Connection = { peer, timer: undefined };
    this.connections.set(socket, connection);
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
      request = this.toRequest(incoming, outgoing, connection.peer);
    } catch {
      void refuse(sink, 400, "bad request");
      return;
    }
    void answer(handler, request, connection.peer, sink, onError);
  }

  private toRequest(incoming: IncomingMessage, outgoing: ServerResponse, peer: Peer): Request {
    const headers = new Headers();
    const { rawHeaders, method = "GET" } = incoming;
    for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at]!, rawHeaders[at + 1]!);
    const scheme = peer.secure ? "https" : "http";
    const host = headers.get("host") || "localhost";
    const target = incoming.url ?? "/";
    const url = new URL(target.startsWith("/") ? `${scheme}://${host}${target}` : target);
    const controller = new AbortController();
    const { signal } = controller;
    outgoing.on("close", () => {
      if (!outgoing.writableFinished) controller.abort();
    });
    if (method === "GET" || method === "HEAD") return new Request(url, { method, headers, signal });
    const body = this.readBody(incoming);
    return new Request(url, { method, headers, body, signal, duplex: "half" } as RequestInit);
  }

  /** The request's body as a stream that makes the client wait for its reader. */
  private readBody(incoming: IncomingMessage): ReadableStream<Uint8Array> {
    const { maxBodyBytes, bodyHighWaterBytes } = this.service.limits;
    let received = 0;
    let held = 0;
    const queue = new BodyQueue((bytes) => {
      held -= bytes;
      if (held < bodyHighWaterBytes) incoming.resume();
    });
    incoming.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received > maxBodyBytes) {
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

function refuseMalformed(socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}
