import type { FetchHandler, Peer } from "../grpc.ts";
import { encodeFields, type Field } from "../hpack/encoder.ts";
import type { Http2Connection } from "../http2/connection.ts";
import { ErrorCode } from "../http2/protocol.ts";
import type { RequestHead } from "../http2/request-head.ts";
import { Http2Stream } from "../http2/stream.ts";
import { BodyQueue } from "./body-queue.ts";
import type { FetchLimits } from "./fetch-limits.ts";
import { answer, plainResponse, type ResponseSink } from "./respond.ts";

/** What exchanges of a server share. */
export interface FetchService {
  readonly handler: FetchHandler;
  readonly limits: FetchLimits;
  readonly onError: (cause: unknown) => void;
}

/** Fields of a Response that HTTP/2 has no place for (RFC 9113, 8.2.2). */
const hopFields: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** One ordinary HTTP request over HTTP/2: becomes a Request, and a Response becomes frames. */
export class Http2Exchange extends Http2Stream implements ResponseSink {
  private readonly service: FetchService;
  private readonly controller = new AbortController();
  private body: BodyQueue | undefined = undefined;
  /** The answer has. */
  private hasBegun = false;
  private writable: (() => void) | undefined = undefined;

  constructor(connection: Http2Connection, id: number, head: RequestHead, service: FetchService) {
    super(connection, id, head);
    this.service = service;
  }

  get isGone(): boolean {
    return this.localClosed;
  }

  onOpen(): void {
    const { limits, handler, onError } = this.service;
    if (this.head.contentLength > limits.maxBodyBytes) {
      this.refuse(413, "request body too large");
      return;
    }
    let request: Request;
    try {
      request = this.toRequest();
    } catch {
      this.refuse(400, "bad request");
      return;
    }
    void answer(handler, request, this.connection.peer as Peer, this, onError);
  }

  private toRequest(): Request {
    const { method, scheme, authority, path, fields } = this.head;
    const headers = new Headers();
    const cookies: string[] = [];
    for (let at = 0; at < fields.length; at += 2) {
      if (fields[at] === "cookie") cookies.push(fields[at + 1]!);
      else headers.append(fields[at]!, fields[at + 1]!);
    }
    // Clients may cut cookies into several fields so that they compress better (RFC 9113, 8.2.3).
    if (cookies.length > 0) headers.set("cookie", cookies.join("; "));
    const host = authority ?? headers.get("host") ?? "localhost";
    const url = new URL(`${scheme}://${host}${path.startsWith("/") ? path : "/"}`);
    const { signal } = this.controller;
    if (this.remoteClosed || method === "GET" || method === "HEAD") {
      return new Request(url, { method, headers, signal });
    }
    this.body = new BodyQueue((bytes) => {
      this.connection.release(bytes);
      this.consume(bytes);
    });
    const body = this.body.stream;
    return new Request(url, { method, headers, body, signal, duplex: "half" } as RequestInit);
  }

  private refuse(status: number, text: string): void {
    const response = plainResponse(status, text);
    void answer(
      () => response,
      new Request("http://localhost/"),
      this.connection.peer as Peer,
      this,
      () => {},
    );
  }

  onData(bytes: Buffer, start: number, end: number): void {
    const count = end - start;
    if (!this.body?.isWanted) {
      this.consume(count);
      return;
    }
    const isTooLarge = !this.hasBegun && this.receivedBytes > this.service.limits.maxBodyBytes;
    if (isTooLarge || !this.connection.hold(count)) {
      this.reset(ErrorCode.enhanceYourCalm);
      this.onAborted();
      return;
    }
    this.body.push(bytes.subarray(start, end));
  }

  onRequestEnd(): void {
    this.body?.end();
  }

  onAborted(): void {
    this.body?.fail(new Error("the client went away"));
    this.controller.abort();
    this.onSent();
  }

  // ---- ResponseSink ----

  begin(status: number, headers: Headers, hasBody: boolean): void {
    this.hasBegun = true;
    const fields: Field[] = [[":status", String(status)]];
    for (const [name, value] of headers) {
      if (!hopFields.has(name)) fields.push([name, value]);
    }
    this.sendHeaderBlock(encodeFields(fields), !hasBody);
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    this.queueData(bytes);
    if (this.pendingBytes < this.service.limits.bodyHighWaterBytes || this.localClosed) return undefined;
    return new Promise((resolve) => {
      this.writable = resolve;
    });
  }

  override onSent(): void {
    if (this.writable === undefined) return;
    if (this.pendingBytes >= this.service.limits.bodyHighWaterBytes / 2 && !this.localClosed) return;
    const { writable } = this;
    this.writable = undefined;
    writable();
  }

  /** Everything of a turn leaves together, and at its end. */
  flush(): void {}

  end(last?: Uint8Array): void {
    if (last !== undefined) this.queueData(last);
    this.finish(undefined);
  }

  abort(): void {
    this.reset(ErrorCode.internalError);
    this.onAborted();
  }

  override closeLocal(): void {
    super.closeLocal();
    // The answer is complete: what is left of the request is of no use, and must not be kept.
    this.body?.fail(new Error("the request was answered"));
  }
}
