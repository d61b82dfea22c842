/** One gRPC call on a connection: messages out, messages in, and a status at its end. */
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import { Deframer, messagePrefixBytes } from "../../transport/grpc-server/deframer.ts";
import { defaultMaxFrameBytes, ErrorCode } from "../../transport/http2/protocol.ts";
import type { ClientConnection } from "./connection.ts";

/** A stream's window is given back in portions of this size, a quarter of the window. */
const streamPortionBytes = 256 * 1024;
const nothing = new Uint8Array(0);

export interface StreamListener {
  /** One message. Says whether more may come; otherwise `take` has to be called when they may. */
  onMessage(message: Uint8Array): boolean;
  /**
   * The end: undefined is status 0. `isUnseen` says that the server certainly did nothing for this call, so that it may
   * be made again elsewhere.
   */
  onEnd(error: EtcdError | undefined, isUnseen: boolean): void;
}

export class ClientStream {
  /** Its header fields, encoded. */
  readonly head: Uint8Array;
  readonly #connection: ClientConnection;
  readonly #listener: StreamListener;
  readonly #deframer = new Deframer();
  #output: Buffer[] = [];
  #isHalfClosed = false;
  #sentEnd = false;
  #isDone = false;
  /** Bytes that came and that the window was not given back for. */
  #owedBytes = 0;
  #isPaused = false;
  #httpStatus: string | undefined;
  /** 0 until it begins. */
  id = 0;
  sendWindow = 0;
  /** Larger answers are refused. */
  maxMessageBytes = 0x7fffffff;

  constructor(connection: ClientConnection, head: Uint8Array, listener: StreamListener) {
    this.#connection = connection;
    this.head = head;
    this.#listener = listener;
  }

  begin(id: number, window: number): void {
    this.id = id;
    this.sendWindow = window;
    this.flush();
  }

  /** Queues one message. */
  send(message: Uint8Array): void {
    if (this.#isDone || this.#isHalfClosed) return;
    const prefix = Buffer.alloc(messagePrefixBytes);
    prefix.writeUInt32BE(message.length, 1);
    this.#output.push(Buffer.concat([prefix, message]));
    this.flush();
  }

  /** No more messages from us. */
  halfClose(): void {
    this.#isHalfClosed = true;
    this.flush();
  }

  /** Sends what the windows and the socket allow. */
  flush(): void {
    const connection = this.#connection;
    if (this.id === 0 || this.#isDone || this.#sentEnd) return;
    for (;;) {
      const [head] = this.#output;
      if (head === undefined) break;
      const room = Math.min(defaultMaxFrameBytes, this.sendWindow, connection.sendWindow, head.length);
      if (room <= 0 || connection.isSocketFull) {
        if (this.sendWindow > 0) connection.stopped(this);
        return;
      }
      if (room === head.length) this.#output.shift();
      else this.#output[0] = head.subarray(room);
      this.sendWindow -= room;
      connection.sendWindow -= room;
      const isLast = this.#isHalfClosed && this.#output.length === 0;
      if (isLast) this.#sentEnd = true;
      connection.writeData(this.id, room === head.length ? head : head.subarray(0, room), isLast);
    }
    if (this.#isHalfClosed && !this.#sentEnd) {
      this.#sentEnd = true;
      connection.writeData(this.id, nothing, true);
    }
  }

  /** Gives the call up. Nothing is heard of it after that. */
  cancel(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    if (this.id > 0) this.#connection.frames.rstStream(this.id, ErrorCode.cancel);
    this.#connection.release(this);
  }

  /** More messages may come, after `onMessage` said no. */
  take(): void {
    this.#isPaused = false;
    this.#deliver();
    this.#giveBack();
  }

  onHeaders(fields: readonly string[], isEnd: boolean): void {
    const get = (name: string): string | undefined => {
      for (let at = 0; at < fields.length; at += 2) if (fields[at] === name) return fields[at + 1];
      return undefined;
    };
    this.#httpStatus ??= get(":status");
    if (!isEnd) return;
    const status = get("grpc-status");
    if (status === undefined) this.#finish(notGrpc(this.#httpStatus, get("content-type")));
    else if (status === "0") this.#finish(undefined);
    else this.#finish(new EtcdError(codeFrom(status), decodeText(get("grpc-message") ?? "")));
  }

  onData(bytes: Buffer, flowBytes: number, isEnd: boolean): void {
    this.#owedBytes += flowBytes;
    if (!this.#deliverWhole(bytes)) {
      this.#deframer.append(bytes, 0, bytes.length);
      this.#deliver();
    }
    if (isEnd) {
      this.#finish(new EtcdError(GrpcCode.internal, "server closed the stream without sending trailers"));
      return;
    }
    this.#giveBack();
  }

  /** A message that is not whole needs the window to become whole. */
  #giveBack(): void {
    if (this.#ending !== undefined || this.#owedBytes < streamPortionBytes || this.#isDone) return;
    if (this.#isPaused && this.#deframer.hasMessage) return;
    this.#connection.frames.windowUpdate(this.id, this.#owedBytes);
    this.#owedBytes = 0;
  }

  /** The usual case: exactly one message, copied so that whoever keeps it does not keep the socket's chunk. */
  #deliverWhole(bytes: Buffer): boolean {
    if (this.#isPaused || this.#isDone || this.#deframer.heldBytes > 0) return false;
    const length = bytes.length - messagePrefixBytes;
    if (length < 0 || bytes[0] !== 0 || bytes.readUInt32BE(1) !== length) return false;
    if (length > this.maxMessageBytes) return false;
    this.#isPaused = !this.#listener.onMessage(new Uint8Array(bytes.subarray(messagePrefixBytes)));
    return true;
  }

  #deliver(): void {
    const deframer = this.#deframer;
    while (!this.#isDone && !this.#isPaused && deframer.hasPrefix) {
      if (deframer.messageLength > this.maxMessageBytes) {
        const text = `grpc: received message larger than max (${deframer.messageLength} vs. ${this.maxMessageBytes})`;
        this.#abandon(new EtcdError(GrpcCode.resourceExhausted, text));
        return;
      }
      if (!deframer.hasMessage) return;
      if (deframer.messageFlag !== 0) {
        this.#abandon(new EtcdError(GrpcCode.internal, "grpc: compressed answer that was not asked for"));
        return;
      }
      this.#isPaused = !this.#listener.onMessage(deframer.take());
    }
    if (this.#ending !== undefined && !this.#isPaused && !deframer.hasMessage) this.#settle(this.#ending);
  }

  #ending: { readonly error: EtcdError | undefined; readonly isUnseen: boolean } | undefined;

  onReset(code: number): void {
    const isUnseen = code === ErrorCode.refusedStream;
    const name = Object.entries(ErrorCode).find(([, value]) => value === code)?.[0] ?? String(code);
    const words = name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    const grpc =
      code === ErrorCode.cancel
        ? GrpcCode.canceled
        : code === ErrorCode.enhanceYourCalm
          ? GrpcCode.resourceExhausted
          : isUnseen
            ? GrpcCode.unavailable
            : GrpcCode.internal;
    this.fail(new EtcdError(grpc, `stream terminated by RST_STREAM with error code: ${words}`), { isUnseen });
  }

  #abandon(error: EtcdError): void {
    if (this.id > 0) this.#connection.frames.rstStream(this.id, ErrorCode.cancel);
    this.#settle({ error, isUnseen: false });
  }

  #finish(error: EtcdError | undefined): void {
    // The server has ended it; what it does not need to read is not sent.
    if (!this.#sentEnd && this.id > 0) {
      this.#connection.frames.rstStream(this.id, ErrorCode.noError);
    }
    this.#end({ error, isUnseen: false });
  }

  /** The messages that came before the end are delivered before it. */
  #end(ending: { error: EtcdError | undefined; isUnseen: boolean }): void {
    if (this.#isDone || this.#ending !== undefined) return;
    this.#sentEnd = true;
    this.#ending = ending;
    this.#connection.release(this);
    this.#deliver();
  }

  #settle({ error, isUnseen }: { readonly error: EtcdError | undefined; readonly isUnseen: boolean }): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#connection.release(this);
    this.#listener.onEnd(error, isUnseen);
  }

  fail(error: EtcdError, { isUnseen }: { readonly isUnseen: boolean }): void {
    this.#end({ error, isUnseen });
  }
}

function codeFrom(text: string): GrpcCode {
  const number = Number(text);
  return number >= 0 && number <= 16 ? (number as GrpcCode) : GrpcCode.unknown;
}

/** What an answer that is not gRPC's means (grpc/doc/http-grpc-status-mapping.md). */
function notGrpc(httpStatus: string | undefined, contentType: string | undefined): EtcdError {
  const codes: Readonly<Record<string, GrpcCode>> = {
    "400": GrpcCode.internal,
    "401": GrpcCode.unauthenticated,
    "403": GrpcCode.permissionDenied,
    "404": GrpcCode.unimplemented,
    "429": GrpcCode.unavailable,
    "502": GrpcCode.unavailable,
    "503": GrpcCode.unavailable,
    "504": GrpcCode.unavailable,
  };
  const code = codes[httpStatus ?? ""] ?? GrpcCode.unknown;
  return new EtcdError(
    code,
    `unexpected HTTP status code received from server: ${httpStatus}; content-type ${contentType ?? "none"}`,
  );
}

/** `grpc-message` is UTF-8 in percent escapes. */
function decodeText(text: string): string {
  const bytes = Buffer.from(text, "latin1");
  if (!bytes.includes(0x25)) return bytes.toString("utf8");
  const out: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const hex = bytes[at] === 0x25 ? bytes.toString("latin1", at + 1, at + 3) : "";
    if (/^[0-9a-f]{2}$/i.test(hex)) {
      out.push(Number.parseInt(hex, 16));
      at += 2;
    } else out.push(bytes[at]!);
  }
  return Buffer.from(out).toString("utf8");
}
