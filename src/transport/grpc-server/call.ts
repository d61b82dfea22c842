import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import type { CallTimes, GrpcCall, Metadata, Peer } from "../grpc.ts";
import type { Http2Connection } from "../http2/connection.ts";
import { putUint32 } from "../http2/frame-writer.ts";
import { defaultMaxFrameBytes, ErrorCode } from "../http2/protocol.ts";
import type { RequestHead } from "../http2/request-head.ts";
import { Http2Stream } from "../http2/stream.ts";
import type { TimerTarget } from "../timers/coarse-timers.ts";
import { CallListeners } from "./call-listeners.ts";
import { Deadline } from "./deadline.ts";
import { messagePrefixBytes } from "./deframer.ts";
import { gunzipMessage } from "./gunzip.ts";
import { MessageBuffer } from "./message-buffer.ts";
import type { ServedCallPlan } from "./plan.ts";
import { headersFor, type ResponseBlocks, trailersFor, trailersOnly } from "./response-blocks.ts";
import { putMessage, putSmallAnswer, smallAnswerOverhead } from "./small-answer.ts";

/** Above this `write` says false; under half of it `onDrain` is called. */
export const callHighWaterBytes = 256 * 1024;
/** A streaming answer whose producer goes on although `write` says false is ended when this much waits. */
export const callPendingMaxBytes = 128 * 1024 * 1024;

/** Smaller ones are all counted against the connection's room. */
const largeAnswerBytes = 1024 * 1024;

type StreamSink = { onMessage(message: Uint8Array): void; onHalfClose(): void };

/** One gRPC call: a stream that cuts messages out of DATA frames and wraps answers into them. */
export class Call extends Http2Stream implements GrpcCall, TimerTarget {
  private readonly plan: ServedCallPlan;
  private sink: StreamSink | undefined = undefined;
  private buffer: MessageBuffer | undefined = undefined;
  private deadline: Deadline | undefined = undefined;
  private listeners: CallListeners | undefined = undefined;
  /** A single request was handed up. */
  private isDispatched = false;
  private areHeadersSent = false;
  /** A status was queued, or the call was cancelled: nothing more goes out. */
  isOver = false;
  cancelled = false;
  private startMs = 0;
  /** Kept for who wants to know of slow calls, as long as the call goes on. */
  private request: Uint8Array | undefined = undefined;
  private answer: Uint8Array | readonly Uint8Array[] | undefined = undefined;

  constructor(connection: Http2Connection, id: number, head: RequestHead, plan: ServedCallPlan) {
    super(connection, id, head);
    this.plan = plan;
  }

  get path(): string {
    return this.head.path;
  }

  get metadata(): Metadata {
    return this.plan.metadata;
  }

  get peer(): Peer {
    return this.connection.peer as Peer;
  }

  get timeoutMs(): number | undefined {
    // Of a call that is over there is no deadline any more, but nobody may take that for unlimited time.
    return this.deadline?.leftMs ?? (this.plan.timeoutMs === undefined ? undefined : 0);
  }

  // ---- the request ----

  onOpen(): void {
    const { route, timeoutMs, service } = this.plan;
    route.counters.started++;
    if (service.times !== undefined) this.startMs = service.times.now();
    if (timeoutMs !== undefined) {
      this.deadline = new Deadline(this.connection.environment.timers, timeoutMs, this);
    }
    if (route.handler.kind !== "stream") return;
    try {
      this.sink = route.handler.open(this);
    } catch (cause) {
      this.onFault(cause);
    }
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.isOver) return;
    const count = end - start;
    if (this.buffer === undefined && count >= messagePrefixBytes && bytes[start] === 0) {
      const length = count - messagePrefixBytes;
      // The most common case by far: a frame that is one message.
      if (bytes.readUInt32BE(start + 1) === length && length <= this.plan.service.maxReceiveBytes) {
        this.consume(count);
        this.deliver(new Uint8Array(bytes.buffer, bytes.byteOffset + start + messagePrefixBytes, length));
        return;
      }
    }
    this.buffer ??= new MessageBuffer(this.connection);
    if (!this.buffer.append(bytes, start, end)) {
      this.fail(new EtcdError(GrpcCode.resourceExhausted, "grpc: too much unread data on this connection"));
    } else if (this.buffer.isPaused) {
      this.buffer.unreadBytes += count;
    } else {
      this.consume(count);
      this.deliverBuffered(this.buffer);
    }
  }

  onRequestEnd(): void {
    if (!this.isOver && this.buffer?.isPaused !== true) this.deliverEnd();
  }

  private deliverBuffered(buffer: MessageBuffer): void {
    const { maxReceiveBytes } = this.plan.service;
    const { deframer } = buffer;
    while (!buffer.isPaused && !this.isOver && deframer.hasPrefix) {
      const length = deframer.messageLength;
      if (length > maxReceiveBytes) {
        const text = `grpc: received message larger than max (${length} vs. ${maxReceiveBytes})`;
        this.fail(new EtcdError(GrpcCode.resourceExhausted, text));
        return;
      }
      if (!deframer.hasMessage) return;
      const flag = deframer.messageFlag;
      const message = buffer.take();
      if (flag === 0) this.deliver(message);
      else this.deliverFlagged(flag, message);
    }
    if (deframer.heldBytes === 0 && !buffer.isPaused) this.buffer = undefined;
  }

  private deliverFlagged(flag: number, message: Uint8Array): void {
    try {
      this.deliver(gunzipMessage(flag, message, this.plan.isGzip, this.plan.service.maxReceiveBytes));
    } catch (cause) {
      this.fail(EtcdError.from(cause));
    }
  }

  private deliver(message: Uint8Array): void {
    const { route, service } = this.plan;
    route.counters.messagesReceived++;
    service.counters.receivedBytes += message.length;
    try {
      if (route.handler.kind === "stream") {
        this.sink?.onMessage(message);
      } else if (!this.isDispatched) {
        this.isDispatched = true;
        this.request = message;
        route.handler.onRequest(this, message);
      }
    } catch (cause) {
      this.onFault(cause);
    }
  }

  /** The client has said everything, and everything was handed up. */
  private deliverEnd(): void {
    // The codes and words are grpc-go's, which differ between its unary and its streaming path.
    if (this.sink === undefined) {
      if (this.isDispatched) return;
      const text = this.buffer?.deframer.hasPrefix === true ? "unexpected EOF" : "EOF";
      this.fail(new EtcdError(GrpcCode.unknown, text));
      return;
    }
    if (this.buffer !== undefined) {
      this.fail(new EtcdError(GrpcCode.internal, "unexpected EOF"));
      return;
    }
    try {
      this.sink.onHalfClose();
    } catch (cause) {
      this.onFault(cause);
    }
  }

  /** A handler threw. */
  private onFault(cause: unknown): void {
    if (!(cause instanceof EtcdError)) this.plan.service.onError(cause);
    this.fail(EtcdError.from(cause));
  }

  pause(): void {
    if (this.isOver) return;
    this.buffer ??= new MessageBuffer(this.connection);
    this.buffer.isPaused = true;
  }

  resume(): void {
    const { buffer } = this;
    if (buffer === undefined || !buffer.isPaused) return;
    buffer.isPaused = false;
    // All that waits is given back to the window at once: it is about to be read.
    this.consume(buffer.unreadBytes);
    buffer.unreadBytes = 0;
    this.deliverBuffered(buffer);
    if (this.remoteClosed && !this.isOver && this.buffer?.isPaused !== true) this.deliverEnd();
  }

  // ---- the answer ----

  respond(message: Uint8Array): void {
    if (this.isOver) return;
    this.answer = message;
    const { connection } = this;
    const count = message.length + messagePrefixBytes;
    const blocks = connection.encoding as ResponseBlocks;
    if (blocks.isSteady && this.plan.isPlain && !this.areHeadersSent && this.canSendNow(count)) {
      const { output } = connection;
      const at = output.reserve(smallAnswerOverhead + message.length);
      output.length = putSmallAnswer(output.bytes, at, this.id, message, blocks);
      connection.sending.window -= count;
      connection.keepalive.hasSent = true;
      this.countSent(message.length);
      this.finishWith(GrpcCode.ok);
      this.closeLocal();
      return;
    }
    this.write(message);
    this.end();
  }

  /** Whether a body of `count` bytes fits the windows, a frame and the socket, with nothing before it. */
  private canSendNow(count: number): boolean {
    return (
      this.outgoing === undefined &&
      count <= defaultMaxFrameBytes &&
      count <= this.sendWindow &&
      count <= this.connection.sending.window &&
      !this.connection.output.blocked
    );
  }

  respondParts(parts: readonly Uint8Array[]): void {
    if (this.isOver) return;
    let length = 0;
    for (const part of parts) length += part.length;
    this.answer = parts;
    this.sendHeaders();
    this.countSent(length);
    this.queueData(messagePrefix(length));
    for (const part of parts) this.queueData(part);
    if (length > largeAnswerBytes) this.connection.room.addLarge(this);
    this.end();
  }

  sendHeaders(): void {
    if (this.isOver || this.areHeadersSent) return;
    this.areHeadersSent = true;
    const blocks = this.connection.encoding as ResponseBlocks;
    this.connection.keepalive.hasSent = true;
    this.sendHeaderBlock(this.plan.isPlain ? blocks.headers() : headersFor(this.plan.contentType), false);
  }

  write(message: Uint8Array): boolean {
    if (this.isOver) return true;
    this.sendHeaders();
    this.countSent(message.length);
    const { connection } = this;
    const count = message.length + messagePrefixBytes;
    if (this.canSendNow(count)) {
      const at = connection.frames.data(this.id, count, false);
      putMessage(connection.output.bytes, at, message);
      this.sendWindow -= count;
      connection.sending.window -= count;
      connection.keepalive.hasSent = true;
      return true;
    }
    this.queueData(messagePrefix(message.length));
    this.queueData(message);
    if (count > largeAnswerBytes) connection.room.addLarge(this);
    const { pendingBytes } = this;
    if (pendingBytes > callPendingMaxBytes + count) this.overflow();
    if (pendingBytes < callHighWaterBytes) return true;
    this.listeners ??= new CallListeners();
    this.listeners.wantsDrain = true;
    return false;
  }

  /** The producer does not listen to `write`. */
  private overflow(): void {
    const { service } = this.plan;
    service.onError(new Error(`${this.path}: ${this.pendingBytes} bytes of a streaming answer wait`));
    this.finishWith(GrpcCode.resourceExhausted);
    this.reset(ErrorCode.enhanceYourCalm);
    this.cancel();
  }

  override onSent(): void {
    this.connection.keepalive.hasSent = true;
    const { pendingBytes } = this;
    if (pendingBytes === 0 && this.outgoing?.isFinishing === false) this.outgoing = undefined;
    if (this.listeners?.wantsDrain !== true || pendingBytes >= callHighWaterBytes / 2 || this.isOver) return;
    this.listeners.wantsDrain = false;
    this.listeners.drained(this.plan.service.onError);
  }

  onDrain(callback: () => void): void {
    this.listeners ??= new CallListeners();
    this.listeners.onDrain.push(callback);
  }

  end(): void {
    if (this.isOver) return;
    this.sendHeaders();
    this.finishWith(GrpcCode.ok);
    const blocks = this.connection.encoding as ResponseBlocks;
    this.finish(() => blocks.trailers());
  }

  fail(error: EtcdError): void {
    if (this.isOver) return;
    this.finishWith(error.code);
    this.connection.keepalive.hasSent = true;
    const { areHeadersSent, plan } = this;
    this.finish(() =>
      areHeadersSent
        ? trailersFor(error.code, error.message)
        : trailersOnly(200, plan.contentType, error.code, error.message),
    );
  }

  private countSent(messageBytes: number): void {
    this.plan.route.counters.messagesSent++;
    this.plan.service.counters.sentBytes += messageBytes;
  }

  /** The call has its status. */
  private finishWith(code: GrpcCode): void {
    this.isOver = true;
    this.plan.route.counters.handled[code]!++;
    const { times } = this.plan.service;
    if (times !== undefined) this.tellTime(times);
    if (this.deadline !== undefined) {
      this.deadline.cancel();
      this.deadline = undefined;
    }
    if (this.buffer !== undefined) {
      this.buffer.drop();
      this.buffer = undefined;
    }
  }

  private tellTime(times: CallTimes): void {
    const tookMs = times.now() - this.startMs;
    this.plan.route.seconds?.observe(tookMs / 1000);
    const { path, peer, request, answer } = this;
    this.request = undefined;
    this.answer = undefined;
    if (request === undefined || tookMs <= times.slowMs) return;
    const response = answer instanceof Uint8Array ? [answer] : (answer ?? []);
    times.onSlow({ path, peer, tookMs, request, response });
  }

  // ---- cancellation ----

  onCancel(callback: () => void): void {
    if (this.cancelled) {
      callback();
      return;
    }
    this.listeners ??= new CallListeners();
    this.listeners.onCancel.push(callback);
  }

  /** The client reset the stream or went away. */
  onAborted(): void {
    if (!this.isOver) this.finishWith(GrpcCode.canceled);
    this.cancel();
  }

  /** The deadline passed. */
  onTimer(): void {
    if (this.isOver) return;
    if (this.pendingBytes > 0) {
      // A message has been begun and cannot be completed: there is no place for a status.
      this.finishWith(GrpcCode.deadlineExceeded);
      this.reset(ErrorCode.cancel);
    } else {
      this.fail(new EtcdError(GrpcCode.deadlineExceeded, "context deadline exceeded"));
    }
    this.cancel();
  }

  private cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    const { listeners } = this;
    this.listeners = undefined;
    listeners?.cancelled(this.plan.service.onError);
  }
}

function messagePrefix(length: number): Uint8Array {
  const prefix = new Uint8Array(messagePrefixBytes);
  putUint32(prefix, 1, length);
  return prefix;
}
