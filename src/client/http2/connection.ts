/**
 * The client's end of an HTTP/2 connection that carries gRPC. It sends literal header fields, gives windows back as
 * bytes are taken, answers pings, and sends its own when the connection is silent while calls wait. What it has to say
 * gathers as the server's output does, and leaves in one write a turn.
 */
import type { Socket } from "node:net";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import { PatientTimer } from "../../lib/patient-timer.ts";
import { HpackDecoder } from "../../transport/hpack/decoder.ts";
import { FrameReader } from "../../transport/http2/frame-reader.ts";
import { FrameWriter } from "../../transport/http2/frame-writer.ts";
import { BufferPool, FlushQueue, Output } from "../../transport/http2/output.ts";
import {
  clientPreface,
  defaultHeaderTableBytes,
  defaultInitialWindow,
  defaultMaxFrameBytes,
  ErrorCode,
  flagAck,
  flagEndHeaders,
  flagEndStream,
  flagPadded,
  flagPriority,
  frameContinuation,
  frameData,
  frameGoaway,
  frameHeaders,
  framePing,
  frameRstStream,
  frameSettings,
  frameWindowUpdate,
  settingEnablePush,
  settingInitialWindowSize,
  settingMaxConcurrentStreams,
} from "../../transport/http2/protocol.ts";
import { ClientStream, type StreamListener } from "./stream.ts";

/** How many bytes of one answer may be under way to us: a slow reader holds its server back at that. */
export const streamWindowBytes = 1024 * 1024;
/** For all answers of a connection together. Given back as they come: streams hold back by their own windows. */
const connectionWindowBytes = 64 * 1024 * 1024;
/** The connection's window is given back in portions of this size. */
const connectionPortionBytes = 1024 * 1024;
const maxHeaderListBytes = 64 * 1024;
/** Of one header block, over its HEADERS and CONTINUATIONs. */
const maxHeaderBlockBytes = 64 * 1024;
const maxHeaderPieces = 33;
/** When this much waits in the socket, streams keep what they have to send. */
const socketHighWaterBytes = 256 * 1024;
/** Stream ids end here; long before, the connection is replaced. */
const lastUsableStreamId = 0x7ffffff0;

export interface KeepAlive {
  /** Silence after which the server is asked whether it is there; 0 is never. */
  readonly timeMs: number;
  /** How long its answer may take. */
  readonly timeoutMs: number;
  /** Asks also while no call waits. */
  readonly withoutCalls?: boolean;
}

/** Shared by all connections of the process. */
const pool = new BufferPool();
const flushQueue = new FlushQueue(() => performance.now());

export class ClientConnection {
  readonly #socket: Socket;
  readonly #output: Output;
  /** Encodes frames into the output, which leaves at the end of the turn. */
  readonly frames: FrameWriter;
  readonly #reader: FrameReader;
  readonly #decoder = new HpackDecoder({
    tableBytes: defaultHeaderTableBytes,
    maxListBytes: maxHeaderListBytes,
  });
  readonly #streams = new Map<number, ClientStream>();
  readonly #waiting: ClientStream[] = [];
  /** Streams with something to send that had to stop: the connection's window or the socket was full. */
  readonly #stopped = new Set<ClientStream>();
  /** Bytes that came and that the connection's window was not given back for. */
  #owedBytes = 0;
  #nextId = 1;
  #maxStreams = 100;
  #isDraining = false;
  #ended: EtcdError | undefined;
  #headerBlock: { id: number; isEnd: boolean; pieces: Buffer[]; bytes: number } | undefined;
  #keepAlive: KeepAlive;
  #heardAt = performance.now();
  #timer: ReturnType<typeof setInterval> | undefined;
  #pingedAt: number | undefined;
  #onClosed: (() => void) | undefined;
  readonly #greeted = Promise.withResolvers<void>();
  /**
   * Resolves when the server has sent its settings: only then does it take calls, and a server may refuse a certificate
   * after the handshake. Rejects if it ends before.
   */
  readonly ready: Promise<void> = this.#greeted.promise;
  /** What may still be sent on the whole connection. */
  sendWindow = defaultInitialWindow;
  initialSendWindow = defaultInitialWindow;

  constructor(socket: Socket, keepAlive: KeepAlive, onClosed: () => void) {
    this.#socket = socket;
    this.#keepAlive = keepAlive;
    this.#onClosed = onClosed;
    this.ready.catch(() => {});
    this.#reader = new FrameReader(
      {
        onFrame: (type, flags, id, bytes, start, end) => this.#onFrame(type, flags, id, bytes, start, end),
        shouldYield: () => false,
      },
      defaultMaxFrameBytes,
    );
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#end(readError(error)));
    socket.on("close", () => this.#end(readError(new Error("EOF"))));
    socket.on("drain", () => {
      this.#output.onDrain();
      this.#resumeSending();
    });
    this.#output = new Output({
      socket,
      pool,
      highWaterBytes: socketHighWaterBytes,
      onFirstByte: () => flushQueue.add(this),
    });
    this.frames = new FrameWriter(this.#output, defaultMaxFrameBytes);
    this.#output.append(clientPreface);
    this.frames.settings([
      [settingEnablePush, 0],
      [settingInitialWindowSize, streamWindowBytes],
    ]);
    this.frames.windowUpdate(0, connectionWindowBytes - defaultInitialWindow);
    if (keepAlive.timeMs > 0) {
      this.#timer = setInterval(() => this.#beat(), Math.max(100, keepAlive.timeMs / 2));
      this.#timer.unref?.();
    }
  }

  /** False once no further calls should begin on it. */
  get isUsable(): boolean {
    return this.#ended === undefined && !this.#isDraining && this.#nextId < lastUsableStreamId;
  }

  /** `ip:port` of both ends, as far as the socket knows. */
  get addresses(): { remote: string; local: string } {
    const { remoteAddress, remotePort, localAddress, localPort } = this.#socket;
    const join = (address: string | undefined, port: number | undefined): string =>
      address === undefined ? "" : `${address.includes(":") ? `[${address}]` : address}:${port}`;
    return { remote: join(remoteAddress, remotePort), local: join(localAddress, localPort) };
  }

  get isSecure(): boolean {
    return "encrypted" in this.#socket && this.#socket.encrypted === true;
  }

  /** Begins a call with these header fields, encoded. It waits if the server allows no more at once. */
  open(head: Uint8Array, listener: StreamListener): ClientStream {
    const stream = new ClientStream(this, head, listener);
    if (this.#streams.size >= this.#maxStreams) this.#waiting.push(stream);
    else this.#begin(stream);
    return stream;
  }

  #begin(stream: ClientStream): void {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#streams.set(id, stream);
    this.frames.headers(id, stream.head, false);
    stream.begin(id, this.initialSendWindow);
  }

  /** Hands to the socket what has gathered. */
  flush(): void {
    this.#output.send();
  }

  get isSocketFull(): boolean {
    return this.#output.blocked;
  }

  /** One DATA frame. The caller has looked at the windows. */
  writeData(streamId: number, bytes: Uint8Array, isEnd: boolean): void {
    const at = this.frames.data(streamId, bytes.length, isEnd);
    this.#output.bytes.set(bytes, at);
  }

  /** `stream` has to stop, and is told to go on. */
  stopped(stream: ClientStream): void {
    this.#stopped.add(stream);
  }

  /** Forgets a stream, and begins one that waits for its place. */
  release(stream: ClientStream): void {
    if (stream.id === 0) {
      const at = this.#waiting.indexOf(stream);
      if (at >= 0) this.#waiting.splice(at, 1);
      return;
    }
    this.#streams.delete(stream.id);
    this.#stopped.delete(stream);
    if (this.#isDraining && this.#streams.size === 0) {
      this.close();
      return;
    }
    while (this.#waiting.length > 0 && this.#streams.size < this.#maxStreams) {
      this.#begin(this.#waiting.shift()!);
    }
  }

  /** Ends it at once, and all of its calls. */
  close(): void {
    this.#end(new EtcdError(GrpcCode.canceled, "grpc: the client connection is closing"));
  }

  #end(error: EtcdError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#greeted.reject(new Error(error.message.replace("from server", "server preface")));
    clearInterval(this.#timer);
    // The last words, a cancellation for one, as far as the socket takes them.
    if (!this.#socket.destroyed) this.#output.send();
    this.#output.close();
    this.#socket.destroy();
    const streams = [...this.#streams.values(), ...this.#waiting];
    this.#streams.clear();
    this.#stopped.clear();
    this.#waiting.length = 0;
    for (const stream of streams) stream.fail(error, { isUnseen: stream.id === 0 });
    this.#onClosed?.();
  }

  #read(chunk: Buffer): void {
    this.#heardAt = performance.now();
    this.#pingedAt = undefined;
    try {
      this.#reader.read(chunk, 0);
    } catch (error) {
      this.#end(new EtcdError(GrpcCode.unavailable, `connection error: ${(error as Error).message}`));
    }
  }

  #beat(): void {
    const now = performance.now();
    const pingedAt = this.#pingedAt;
    if (pingedAt !== undefined) {
      if (now - pingedAt < this.#keepAlive.timeoutMs) return;
      const late = new EtcdError(GrpcCode.unavailable, "keepalive ping failed to receive ACK within timeout");
      // The answer may have come while this process stood still: it is read first.
      new PatientTimer(0, () => {
        if (this.#pingedAt === pingedAt) this.#end(late);
      });
    } else if (
      (this.#streams.size > 0 || this.#keepAlive.withoutCalls === true) &&
      now - this.#heardAt >= this.#keepAlive.timeMs
    ) {
      this.#pingedAt = now;
      this.frames.ping(Buffer.alloc(8), 0, false);
    }
  }

  #onFrame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (type === frameData) this.#onData(flags, id, bytes, start, end);
    else if (type === frameHeaders || type === frameContinuation) {
      this.#onHeaders(type, flags, id, bytes, start, end);
    } else if (type === frameSettings) this.#onSettings(flags, bytes, start, end);
    else if (type === frameWindowUpdate) this.#onWindowUpdate(id, bytes.readUInt32BE(start) & 0x7fffffff);
    else if (type === frameRstStream) this.#onReset(id, bytes.readUInt32BE(start));
    else if (type === frameGoaway) {
      this.#onGoaway(bytes.readUInt32BE(start) & 0x7fffffff, bytes, start, end);
    } else if (type === framePing && (flags & flagAck) === 0) {
      this.#onPing(bytes, start);
    }
  }

  #onPing(bytes: Buffer, start: number): void {
    // A server that pings and does not read gets no more answers than the socket holds.
    if (!this.#output.blocked) this.frames.ping(bytes, start, true);
  }

  #onData(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const size = end - start;
    this.#owedBytes += size;
    if (this.#owedBytes >= connectionPortionBytes) {
      this.frames.windowUpdate(0, this.#owedBytes);
      this.#owedBytes = 0;
    }
    if ((flags & flagPadded) !== 0) end -= bytes[start++]!;
    this.#streams.get(id)?.onData(bytes.subarray(start, end), size, (flags & flagEndStream) !== 0);
  }

  #onHeaders(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (type === frameHeaders) {
      if ((flags & flagPadded) !== 0) end -= bytes[start++]!;
      if ((flags & flagPriority) !== 0) start += 5;
      this.#headerBlock = { id, isEnd: (flags & flagEndStream) !== 0, pieces: [], bytes: 0 };
    }
    const block = this.#headerBlock;
    if (block === undefined) throw new Error("CONTINUATION without HEADERS");
    block.pieces.push(bytes.subarray(start, end));
    block.bytes += end - start;
    if (block.bytes > maxHeaderBlockBytes || block.pieces.length > maxHeaderPieces) {
      throw new Error("a header block is too large");
    }
    if ((flags & flagEndHeaders) === 0) return;
    this.#headerBlock = undefined;
    const whole = block.pieces.length === 1 ? block.pieces[0]! : Buffer.concat(block.pieces);
    const { fields } = this.#decoder.decode(whole, 0, whole.length);
    this.#streams.get(block.id)?.onHeaders(fields, block.isEnd);
  }

  #onSettings(flags: number, bytes: Buffer, start: number, end: number): void {
    if ((flags & flagAck) !== 0) return;
    for (let at = start; at + 6 <= end; at += 6) {
      const value = bytes.readUInt32BE(at + 2);
      const id = bytes.readUInt16BE(at);
      if (id === settingMaxConcurrentStreams) this.#maxStreams = value;
      else if (id === settingInitialWindowSize) {
        for (const stream of this.#streams.values()) stream.sendWindow += value - this.initialSendWindow;
        this.initialSendWindow = value;
      }
    }
    this.frames.settingsAck();
    this.#greeted.resolve();
    for (const stream of this.#streams.values()) stream.flush();
  }

  #onWindowUpdate(id: number, increment: number): void {
    if (id === 0) {
      this.sendWindow += increment;
      this.#resumeSending();
      return;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.sendWindow += increment;
    stream.flush();
  }

  #resumeSending(): void {
    const stopped = [...this.#stopped];
    this.#stopped.clear();
    for (const stream of stopped) stream.flush();
  }

  #onReset(id: number, code: number): void {
    this.#streams.get(id)?.onReset(code);
  }

  #onGoaway(lastId: number, bytes: Buffer, start: number, end: number): void {
    this.#isDraining = true;
    const code = bytes.readUInt32BE(start + 4);
    const text = bytes.toString("latin1", start + 8, end);
    const why = new EtcdError(
      GrpcCode.unavailable,
      `closing transport due to: connection error: desc = "error reading from server: EOF", received prior goaway: code: ${goawayName(code)}, debug data: ${JSON.stringify(text)}`,
    );
    const unseen = [...this.#streams.values()].filter((stream) => stream.id > lastId);
    for (const stream of [...unseen, ...this.#waiting.splice(0)]) stream.fail(why, { isUnseen: true });
    if (this.#streams.size === 0) this.close();
  }
}

function goawayName(code: number): string {
  const name = Object.entries(ErrorCode).find(([, value]) => value === code)?.[0] ?? String(code);
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function readError(error: Error): EtcdError {
  const code = (error as { code?: string }).code;
  const alert = /ALERT_([A-Z_]+)/.exec(error.message)?.[1];
  const what =
    code === "ECONNRESET"
      ? "read: connection reset by peer"
      : alert === undefined
        ? error.message
        : `remote error: tls: ${alert.toLowerCase().replaceAll("_", " ")}`;
  return new EtcdError(GrpcCode.unavailable, `error reading from server: ${what}`);
}
