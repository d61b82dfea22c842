/**
 * A small gRPC client over node:http2, for suites that kill the server. It never retries and never reconnects by
 * itself: after an error the caller must know that the outcome of a call is not known.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import type { SecureContextOptions } from "node:tls";

/** gRPC's status codes that a suite asks for. */
export const unavailable = 14;
export const deadlineExceeded = 4;

export class GrpcError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.name = "GrpcError";
    this.code = code;
  }
}

/** Before each message: whether it is compressed, and its length. */
const prefixBytes = 5;

/** One connection. */
export class GrpcClient {
  /** Resolves when there is a connection; rejects when there will be none. Only then can a call have had an effect. */
  readonly connected: Promise<void>;
  readonly #session: ClientHttp2Session;
  readonly #authority: string;
  #broken: GrpcError | undefined;
  readonly #calls = new Set<GrpcCall>();

  constructor(url: string, tls: SecureContextOptions = {}) {
    this.#authority = new URL(url).host;
    // Not setLocalWindowSize: after it Bun 1.4.5 never opens the connection's window again.
    this.#session = connect(url, { settings: { initialWindowSize: 16 * 1024 * 1024 }, ...tls });
    this.#session.setMaxListeners(0);
    this.connected = new Promise((resolve, reject) => {
      this.#session.once("connect", () => resolve());
      this.#session.once("error", reject);
      this.#session.once("close", () => reject(new GrpcError(unavailable, "the connection is closed")));
    });
    this.connected.catch(() => undefined); // whoever awaits it gets it; nobody has to
    this.#session.on("error", (error) => this.#break(error.message));
    this.#session.on("goaway", () => this.#break("the server is going away"));
    this.#session.on("close", () => this.#break("the connection is closed"));
  }

  #break(message: string): void {
    this.#broken ??= new GrpcError(unavailable, message);
    for (const call of [...this.#calls]) call.fail(this.#broken);
  }

  /** Opens a call. `onMessage` gets each message of the answer. */
  call(
    path: string,
    onMessage: (message: Uint8Array) => void,
    metadata: Readonly<Record<string, string>> = {},
  ): GrpcCall {
    if (this.#broken) return GrpcCall.failed(this.#broken);
    const stream = this.#session.request({
      ...metadata,
      ":method": "POST",
      ":path": path,
      ":authority": this.#authority,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const call = new GrpcCall(stream, onMessage, () => this.#calls.delete(call));
    this.#calls.add(call);
    return call;
  }

  /** One message there, one back. Rejects with a `GrpcError`, at the latest after `timeoutMs`. */
  async unary(
    path: string,
    message: Uint8Array,
    timeoutMs = 30_000,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<Uint8Array> {
    let answer: Uint8Array | undefined;
    const keep = (part: Uint8Array) => {
      answer = part;
    };
    const call = this.call(path, keep, metadata);
    const timer = setTimeout(
      () => call.fail(new GrpcError(deadlineExceeded, `${path} was not answered`)),
      timeoutMs,
    );
    try {
      call.send(message);
      call.end();
      await call.ended;
    } finally {
      clearTimeout(timer);
    }
    if (answer === undefined) throw new GrpcError(13, "an answer without a message");
    return answer;
  }

  get isBroken(): boolean {
    return this.#broken !== undefined;
  }

  close(): void {
    this.#break("closed by the client");
    this.#session.destroy();
  }
}

/** One call. `ended` resolves when the server ends it with status 0, and rejects with its error otherwise. */
export class GrpcCall {
  readonly ended: Promise<void>;
  #settle!: (error: GrpcError | undefined) => void;
  #stream: ClientHttp2Stream | undefined;
  /** What came and is not yet a whole message, how many bytes that are, and the message's length once it is known. */
  #chunks: Buffer[] = [];
  #waiting = 0;
  #length: number | undefined;
  #trailers: Record<string, unknown> = {};

  constructor(
    stream: ClientHttp2Stream | undefined,
    onMessage: (message: Uint8Array) => void,
    onEnd: () => void,
  ) {
    this.#stream = stream;
    this.ended = new Promise((resolve, reject) => {
      this.#settle = (error) => {
        onEnd();
        if (error) reject(error);
        else resolve();
      };
    });
    this.ended.catch(() => undefined); // whoever awaits it gets it; nobody has to
    stream?.on("response", (headers) => Object.assign(this.#trailers, headers));
    stream?.on("trailers", (headers) => Object.assign(this.#trailers, headers));
    stream?.on("data", (chunk: Buffer) => this.#read(chunk, onMessage));
    stream?.on("error", (error: Error) => this.fail(new GrpcError(unavailable, error.message)));
    stream?.on("close", () => this.#finish());
  }

  static failed(error: GrpcError): GrpcCall {
    const call = new GrpcCall(
      undefined,
      () => undefined,
      () => undefined,
    );
    call.#settle(error);
    return call;
  }

  send(message: Uint8Array): void {
    if (!this.#stream || this.#stream.destroyed) return;
    const frame = Buffer.allocUnsafe(5 + message.length);
    frame.writeUInt8(0, 0);
    frame.writeUInt32BE(message.length, 1);
    frame.set(message, 5);
    this.#stream.write(frame);
  }

  /** No more messages will be sent. */
  end(): void {
    this.#stream?.end();
  }

  /** Ends the call from this side, whatever the server would still send. */
  cancel(): void {
    this.fail(new GrpcError(1, "cancelled by the client"));
  }

  /** Gives the call up. */
  fail(error: GrpcError): void {
    this.#settle(error);
    this.#stream?.destroy();
    this.#stream = undefined;
  }

  #read(chunk: Buffer, onMessage: (message: Uint8Array) => void): void {
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
    while (this.#waiting >= prefixBytes + (this.#length ?? 0)) {
      const all = Buffer.concat(this.#chunks); // once for a prefix and once for a message, however many chunks
      this.#length ??= all.readUInt32BE(1);
      const end = prefixBytes + this.#length;
      this.#chunks = [all];
      if (this.#waiting < end) return;
      this.#chunks = [all.subarray(end)];
      this.#waiting -= end;
      this.#length = undefined;
      onMessage(Uint8Array.from(all.subarray(prefixBytes, end)));
    }
  }

  #finish(): void {
    const status = this.#trailers["grpc-status"];
    if (status === undefined) this.#settle(new GrpcError(unavailable, "the stream ended without a status"));
    else if (Number(status) === 0) this.#settle(undefined);
    else
      this.#settle(
        new GrpcError(Number(status), decodeURIComponent(String(this.#trailers["grpc-message"] ?? ""))),
      );
  }
}
