/**
 * The JSON gateway: `POST /v3/kv/put {"key": "Zm9v", "value": "YmFy"}`. It follows grpc-gateway as etcd configures it:
 * bytes in base64, 64-bit numbers as strings, names as in the .proto files, default values left out; requests may use
 * either style of names, and names that do not exist are ignored. A stream of answers is one `{"result": ...}` a line.
 *
 * Ours alone: with `?keys=utf8` bytes are plain text, both ways (plain-text.ts).
 */
import type { Context, Hono } from "hono";
import { methodsOf, type ServiceTable, type TableMethod } from "../../codec/message-table.ts";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import type { GrpcRoutes, Peer } from "../../transport/grpc.ts";
import type { CallRecords } from "../../transport/grpc-server/call-records.ts";
import { parseGrpcTimeout } from "../../transport/grpc-server/timeout.ts";
import { LocalCall } from "../../transport/local/local-call.ts";
import { metadataOf } from "../metadata.ts";
import { streamOf } from "../text-stream.ts";
import { fromBase64, parseMessage } from "./parse-message.ts";
import { gatewayPaths } from "./paths.ts";
import { bytesOfPlainText, plainTextOf } from "./plain-text.ts";
import { ValueSplitter } from "./value-splitter.ts";
import { escapeHtml, pieceCharacters, type WriteOptions, writeMessage } from "./write-message.ts";

/** The HTTP status of each gRPC code, as grpc-gateway maps them. */
const httpStatus: readonly number[] = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];

export interface GatewayOptions {
  readonly services: readonly ServiceTable[];
  readonly routes: GrpcRoutes;
  readonly peerOf: (context: Context) => Peer;
  /** Where calls are counted. */
  readonly records?: CallRecords | undefined;
  /** A larger request, as protobuf, is refused. */
  readonly maxReceiveBytes: number;
}

/** Adds the gateway's paths to `app`. */
export function addGateway(app: Hono, options: GatewayOptions): void {
  const methods = new Map(options.services.flatMap(methodsOf).map((method) => [method.path, method]));
  const served = new Map<string, TableMethod>();
  for (const [path, name] of Object.entries(gatewayPaths)) {
    const method = methods.get(`/${name}`);
    if (method) served.set(path, method);
  }
  const serve = async (context: Context, prefix: string): Promise<Response> => {
    const method = served.get(`/v3${unescaped(new URL(context.req.url).pathname).slice(prefix.length)}`);
    if (method === undefined) return errorResponse(new EtcdError(GrpcCode.notFound, "Not Found"));
    if (context.req.method !== "POST") {
      return errorResponse(new EtcdError(GrpcCode.unimplemented, "Method Not Allowed"));
    }
    try {
      return await new Exchange(context, method, options).answer();
    } catch (error) {
      return errorResponse(EtcdError.from(error));
    }
  };
  app.all("/v3/*", (context) => serve(context, "/v3"));
  app.all("/v3beta/*", (context) => serve(context, "/v3beta"));
}

/** One request. What its methods throw before the answer has begun becomes an error response. */
class Exchange {
  readonly #method: TableMethod;
  readonly #options: GatewayOptions;
  readonly #request: Request;
  readonly #isPlain: boolean;
  readonly #peer: Peer;

  constructor(context: Context, method: TableMethod, options: GatewayOptions) {
    this.#method = method;
    this.#options = options;
    this.#request = context.req.raw;
    this.#isPlain = context.req.query("keys") === "utf8";
    // As in etcd, whose gateway is a proxy: a certificate speaks for nobody here, and users bring a token.
    this.#peer = { ...options.peerOf(context), certificateCommonName: undefined };
  }

  async answer(): Promise<Response> {
    const timeoutMs = timeoutOf(this.#request);
    if (this.#method.kind === "bidi_streaming") {
      const call = this.#open(timeoutMs);
      void this.#sendAll(call);
      return this.#lines(call);
    }
    const message = await this.#first();
    const call = this.#open(timeoutMs);
    void call.send(message);
    return this.#method.kind === "unary" ? this.#whole(call) : this.#lines(call);
  }

  #open(timeoutMs: number | undefined): LocalCall {
    const { routes, records } = this.#options;
    const { signal, headers } = this.#request;
    const { path } = this.#method;
    const metadata = metadataOf(headers);
    const call = new LocalCall(routes, { path, metadata, peer: this.#peer, timeoutMs, records });
    if (signal.aborted) call.cancel();
    else signal.addEventListener("abort", () => call.cancel(), { once: true });
    return call;
  }

  // ---- the request ----

  /** The first message of the body; without any, the empty one. What comes after it is not looked at. */
  async #first(): Promise<Uint8Array> {
    for await (const message of this.#messages()) return message;
    return new Uint8Array(0);
  }

  /** A body that cannot be read ends the requests, not the answers: so it is in etcd's gateway. */
  async #sendAll(call: LocalCall): Promise<void> {
    try {
      for await (const message of this.#messages()) {
        await call.send(message);
        if (call.isOver) return;
      }
    } catch {
      // Half-closed below.
    }
    call.halfClose();
  }

  async *#messages(): AsyncGenerator<Uint8Array, void, undefined> {
    const { maxReceiveBytes } = this.#options;
    // Base64 and names take room.
    const splitter = new ValueSplitter(2 * maxReceiveBytes + 64 * 1024);
    const reader = this.#request.body?.getReader();
    try {
      for (;;) {
        const read = await reader?.read();
        if (read === undefined || read.done) break;
        for (const value of splitter.push(read.value)) yield this.#parse(value);
      }
      const last = splitter.end();
      if (last !== undefined) yield this.#parse(last);
    } finally {
      reader?.cancel().catch(() => {});
    }
  }

  #parse(value: Uint8Array): Uint8Array {
    const message = parseMessage(this.#method.input, value, this.#isPlain ? bytesOfPlainText : fromBase64);
    const { maxReceiveBytes } = this.#options;
    if (message.length <= maxReceiveBytes) return message;
    const text = `grpc: received message larger than max (${message.length} vs. ${maxReceiveBytes})`;
    throw new EtcdError(GrpcCode.resourceExhausted, text);
  }

  // ---- the answer ----

  async #whole(call: LocalCall): Promise<Response> {
    const message = (await call.next()) ?? [];
    const pieces = writeMessage(this.#method.output, message, this.#writeOptions);
    const first = pieces.next().value as string;
    const second = pieces.next();
    if (second.done) {
      call.release();
      return new Response(first, { headers: { ...okHeaders, ...lengthOf(first) } });
    }
    const all = (function* () {
      yield first;
      yield second.value;
      yield* pieces;
    })();
    return new Response(
      streamOf(
        async () => {
          const piece = all.next().value as string | undefined;
          if (piece === undefined) call.release();
          return piece;
        },
        () => call.release(),
      ),
      { headers: okHeaders },
    );
  }

  /** The status depends on how the stream begins, so the answer waits for its first message. */
  async #lines(call: LocalCall): Promise<Response> {
    let pieces: Iterator<string, void> | undefined;
    try {
      const message = await call.next();
      if (message === undefined) return new Response(null, { status: 200 });
      pieces = this.#line(message);
    } catch (error) {
      const { code, message } = EtcdError.from(error);
      const headers = { "Content-Type": "application/json" };
      return new Response(errorLine(code, message), { status: httpStatus[code] ?? 500, headers });
    }
    const next = async (): Promise<string | undefined> => {
      try {
        for (;;) {
          const piece = pieces?.next();
          if (piece?.done === false) return piece.value;
          const message = await call.next();
          if (message === undefined) return undefined;
          pieces = this.#line(message);
        }
      } catch (error) {
        if (failed) return undefined;
        failed = true;
        const { code, message } = EtcdError.from(error);
        return errorLine(code, message);
      }
    };
    let failed = false;
    return new Response(
      streamOf(next, () => call.cancel()),
      { headers: okHeaders },
    );
  }

  *#line(message: readonly Uint8Array[]): Generator<string, void, undefined> {
    const options = { ...this.#writeOptions, escapeHtml: true };
    // A short line is one piece: there are clients that take each chunk for a line.
    let held = '{"result":';
    for (const piece of writeMessage(this.#method.output, message, options)) {
      if (held.length >= pieceCharacters) {
        yield held;
        held = "";
      }
      held += piece;
    }
    yield `${held}}\n`;
  }

  get #writeOptions(): WriteOptions {
    return this.#isPlain ? { textOf: plainTextOf } : {};
  }
}

function unescaped(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const okHeaders = {
  "Content-Type": "application/json",
  "Grpc-Metadata-Content-Type": "application/grpc",
};

const lengthOf = (text: string) => ({ "Content-Length": String(Buffer.byteLength(text)) });

/** The client's `Grpc-Timeout` in milliseconds. Throws if it is none. */
function timeoutOf(request: Request): number | undefined {
  const text = request.headers.get("grpc-timeout");
  if (text === null) return undefined;
  const timeout = parseGrpcTimeout(text);
  if (typeof timeout === "number") return timeout;
  throw new EtcdError(GrpcCode.invalidArgument, `invalid grpc-timeout: ${text}`);
}

const errorLine = (code: number, message: string): string =>
  `${escapeHtml(JSON.stringify({ error: { code, message } }))}\n`;

function errorResponse({ code, message }: EtcdError): Response {
  const body = JSON.stringify({ code, message });
  const headers: Record<string, string> = { "Content-Type": "application/json", ...lengthOf(body) };
  if (code === GrpcCode.unauthenticated) headers["WWW-Authenticate"] = message;
  return new Response(body, { status: httpStatus[code] ?? 500, headers });
}
