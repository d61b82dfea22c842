import type { Socket } from "node:net";
import type { AnswerRoom } from "../../lib/answer-room.ts";
import { inPortions } from "../../lib/portions.ts";
import { HpackDecoder } from "../hpack/decoder.ts";
import { BlockCache } from "./block-cache.ts";
import { Drain } from "./drain.ts";
import type { Http2Environment } from "./environment.ts";
import { FloodGuard } from "./flood-guard.ts";
import { FrameWriter } from "./frame-writer.ts";
import { dispatchFrame } from "./frames/dispatch.ts";
import type { HeaderAssembly } from "./frames/headers.ts";
import { HeadMemo } from "./head-memo.ts";
import { IdRing } from "./id-ring.ts";
import { Input } from "./input.ts";
import { Keepalive } from "./keepalive.ts";
import type { ConnectionLimits } from "./limits.ts";
import { Lingering } from "./lingering.ts";
import { Output } from "./output.ts";
import {
  ConnectionError,
  defaultHeaderTableBytes,
  defaultInitialWindow,
  defaultMaxFrameBytes,
  ErrorCode,
  StreamError,
  settingInitialWindowSize,
  settingMaxConcurrentStreams,
  settingMaxHeaderListSize,
} from "./protocol.ts";
import type { RequestHead } from "./request-head.ts";
import type { SendBuffer } from "./send-buffer.ts";
import { SendQueue } from "./send-queue.ts";
import { StallTimer } from "./stall-timer.ts";
import type { Http2Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

/** How long a connection that we ended stays half open, so that the peer can read our GOAWAY. */
const lingerAfterErrorMs = 1_000;

/**
 * One HTTP/2 connection, server side: it owns the socket's bytes, the streams and their windows. Frames are handled
 * by the functions in frames/, one file a type; they work on the public fields here.
 */
export class Http2Connection {
  readonly environment: Http2Environment;
  readonly limits: ConnectionLimits;
  readonly socket: Socket;
  /** What the application wants to know of the peer. */
  readonly peer: unknown;
  /** What answers take up here. */
  readonly room: AnswerRoom;
  readonly output: Output;
  readonly frames: FrameWriter;
  readonly sending: SendQueue;
  readonly hpack: HpackDecoder;
  readonly cache: BlockCache;
  readonly heads = new HeadMemo();
  readonly guard: FloodGuard;
  readonly keepalive: Keepalive;
  /** The streams that are not closed. */
  readonly streams = new StreamTable();
  /** Kept for the application: how it encodes answers on this connection. */
  encoding: unknown = undefined;

  lastStreamId = 0;
  peerInitialWindow = defaultInitialWindow;
  peerHeaderTableBytes = defaultHeaderTableBytes;
  assembly: HeaderAssembly | undefined = undefined;
  readonly input: Input;
  private readonly drainState: Drain;
  private readonly reset: IdRing;
  private readonly ended: IdRing;
  private readonly lingering: Lingering;
  private receiveOwed = 0;
  private heldBytes = 0;
  private flushRequested = false;
  private readonly stall: StallTimer;
  /** No more frames are read. */
  isClosing = false;
  /** The socket is gone. */
  isClosed = false;

  constructor(environment: Http2Environment, socket: Socket, peer: unknown, room: AnswerRoom) {
    this.environment = environment;
    this.limits = environment.limits;
    this.socket = socket;
    this.peer = peer;
    this.room = room;
    room.shed = () => this.shed();
    const { limits, timers } = environment;
    this.input = new Input(this);
    this.output = new Output({
      socket,
      pool: environment.pool,
      highWaterBytes: limits.socketHighWaterBytes,
      onFirstByte: () => this.requestFlush(),
    });
    this.frames = new FrameWriter(this.output, defaultMaxFrameBytes);
    this.sending = new SendQueue(this);
    this.hpack = new HpackDecoder({
      tableBytes: defaultHeaderTableBytes,
      maxListBytes: limits.maxHeaderListBytes,
    });
    this.cache = new BlockCache({ slots: limits.blockCacheSlots, maxBlockBytes: limits.blockCacheBytes });
    this.guard = new FloodGuard(limits, timers.now());
    this.keepalive = new Keepalive(this, environment.keepalive, timers);
    this.reset = new IdRing(limits.maxRememberedResets);
    this.ended = new IdRing(limits.maxRememberedResets);
    this.drainState = new Drain(this);
    this.stall = new StallTimer(this);
    this.lingering = new Lingering(this);
  }

  /** Sends our half of the preface, then handles what the listener read while it looked what this is. */
  start(first: Buffer): void {
    const { socket, limits } = this;
    socket.on("data", (chunk: Buffer) => this.input.receive(chunk));
    socket.on("drain", () => this.onSocketDrain());
    socket.on("error", () => {});
    socket.on("end", () => this.onSocketGone());
    socket.on("close", () => this.onSocketGone());
    this.frames.settings([
      [settingMaxConcurrentStreams, limits.maxConcurrentStreams],
      [settingInitialWindowSize, limits.streamWindowBytes],
      [settingMaxHeaderListSize, limits.maxHeaderListBytes],
    ]);
    this.frames.windowUpdate(0, limits.connectionWindowBytes - defaultInitialWindow);
    socket.resume();
    this.input.receive(first);
  }

  // ---- input ----

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    try {
      dispatchFrame(this, type, flags, streamId, bytes, start, end);
    } catch (cause) {
      if (!(cause instanceof StreamError)) throw cause;
      this.guard.onReset(this.input.lastReadMs);
      const stream = this.streams.get(cause.streamId);
      if (stream !== undefined) {
        this.resetStream(stream, cause.code);
        stream.onAborted(cause.code);
      } else {
        this.reset.add(cause.streamId);
        this.frames.rstStream(cause.streamId, cause.code);
      }
    }
  }

  /** The peer's decoder may keep another amount of fields than before. */
  onPeerHeaderTable(bytes: number): void {
    this.peerHeaderTableBytes = bytes;
    this.environment.application.onPeerHeaderTable(this);
  }

  /** A frame on a stream that is not open: an error, unless it was under way when we reset the stream. */
  onLateFrame(streamId: number, what: string): void {
    this.checkNotIdle(streamId, what);
    if (this.reset.has(streamId)) return;
    if (what === "DATA") throw new StreamError(streamId, ErrorCode.streamClosed, "DATA on a closed stream");
    const code = this.ended.has(streamId) ? ErrorCode.streamClosed : ErrorCode.protocolError;
    throw new ConnectionError(code, `${what} on a closed stream`);
  }

  /** 5.1: on an idle stream nothing but HEADERS and PRIORITY may come; even numbers are ours, and we use none. */
  checkNotIdle(streamId: number, what: string): void {
    if (streamId > this.lastStreamId || (streamId & 1) === 0) {
      throw new ConnectionError(ErrorCode.protocolError, `${what} on an idle stream`);
    }
  }

  /**
   * Opens the connection's window again by what a DATA frame took. Nothing has to be checked: a frame is handled as
   * soon as it is there, so a peer that ignores this window takes nothing that the other limits do not bound.
   */
  creditReceived(bytes: number): void {
    this.receiveOwed += bytes;
    if (this.receiveOwed < this.limits.connectionWindowBytes >> 1) return;
    this.frames.windowUpdate(0, this.receiveOwed);
    this.receiveOwed = 0;
  }

  /** Counts `bytes` of requests that have to be kept here. False if that is too much: then nothing was counted. */
  hold(bytes: number): boolean {
    const { requestMemory } = this.environment;
    if (this.heldBytes + bytes > this.limits.maxBufferedRequestBytes) return false;
    if (requestMemory.usedBytes + bytes > requestMemory.maxBytes) return false;
    this.heldBytes += bytes;
    requestMemory.usedBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.heldBytes -= bytes;
    this.environment.requestMemory.usedBytes -= bytes;
  }

  // ---- streams ----

  /** A request's headers are in. */
  openStream(id: number, head: RequestHead, isEnd: boolean): void {
    this.guard.onUsefulFrame();
    if (
      this.drainState.refuses ||
      this.streams.size >= this.limits.maxConcurrentStreams ||
      this.isOverloaded
    ) {
      this.environment.counters.streamsRefused++;
      throw new StreamError(id, ErrorCode.refusedStream, "too many streams");
    }
    this.environment.counters.streamsOpened++;
    const stream = this.environment.application.makeStream(this, id, head);
    this.streams.add(stream);
    stream.remoteClosed = isEnd;
    stream.onOpen();
    if (isEnd) this.onRemoteEnd(stream);
  }

  /** The peer's last frame on a stream was handled. */
  onRemoteEnd(stream: Http2Stream): void {
    stream.onRequestEnd();
    if (stream.localClosed) this.complete(stream);
  }

  onPeerReset(stream: Http2Stream, code: ErrorCode): void {
    this.environment.counters.streamsReset++;
    const isEarly = !stream.localClosed;
    stream.remoteClosed = true;
    stream.localClosed = true;
    this.forget(stream);
    stream.onAborted(code);
    if (isEarly) this.guard.onReset(this.input.lastReadMs);
  }

  resetStream(stream: Http2Stream, code: ErrorCode): void {
    if (stream.localClosed && stream.remoteClosed) return;
    stream.localClosed = true;
    stream.remoteClosed = true;
    this.reset.add(stream.id);
    if (!this.isClosed) this.frames.rstStream(stream.id, code);
    this.forget(stream);
  }

  /** A stream came to its regular end on both sides. */
  complete(stream: Http2Stream): void {
    if (!this.streams.has(stream)) return;
    this.guard.onStreamDone();
    this.forget(stream);
  }

  private forget(stream: Http2Stream): void {
    if (!this.streams.delete(stream)) return;
    this.ended.add(stream.id);
    this.lingering.delete(stream);
    if (stream.outgoing !== undefined) this.dropOutput(stream.outgoing);
    if (this.streams.size === 0) this.drainState.onIdle();
  }

  /** We are done with a stream and the peer is not. */
  linger(stream: Http2Stream): void {
    this.lingering.add(stream);
  }

  // ---- output ----

  addPending(bytes: number): void {
    this.room.changePending(bytes);
  }

  private dropOutput(outgoing: SendBuffer): void {
    const dropped = outgoing.drop();
    if (dropped > 0) this.room.changePending(-dropped);
  }

  /** The stream has something to send, or may send again. */
  schedule(stream: Http2Stream): void {
    if (this.sending.add(stream)) this.requestFlush();
  }

  requestFlush(): void {
    if (this.flushRequested) return;
    this.flushRequested = true;
    this.environment.flushQueue.add(this);
  }

  /** The end of a turn: everything that was said in it goes to the socket. */
  flush(): void {
    this.flushRequested = false;
    if (this.isClosed) return;
    const isUnfinished = this.sending.canPump && this.pump();
    this.output.send();
    if (this.output.isIdle) this.guard.onOutputGone();
    else this.stall.arm();
    if (isUnfinished) setImmediate(() => this.requestFlush());
  }

  /** What streams do when their bytes are sent is not ours: a fault there ends this connection, not the server. */
  private pump(): boolean {
    try {
      return this.sending.pump();
    } catch (cause) {
      this.fail(cause);
      return false;
    }
  }

  private onSocketDrain(): void {
    this.output.onDrain();
    this.guard.onOutputGone();
    if (this.sending.canPump) this.requestFlush();
  }

  /** More waits to be sent than a client that reads would let happen: one large answer apart, which is legitimate. */
  private get isOverloaded(): boolean {
    const { maxPendingOutputBytes } = this.limits;
    const { pendingBytes } = this.room;
    if (pendingBytes <= maxPendingOutputBytes) return false;
    let largest = 0;
    for (const stream of this.streams.values()) largest = Math.max(largest, stream.pendingBytes);
    return pendingBytes - largest > maxPendingOutputBytes;
  }

  /** Others need the memory: resets the streams whose answers are not read, but for those that wait for little. */
  private shed(): void {
    for (const stream of [...this.streams.values()]) {
      if (stream.pendingBytes < this.limits.socketHighWaterBytes / 4) continue;
      this.resetStream(stream, ErrorCode.enhanceYourCalm);
      stream.onAborted(ErrorCode.enhanceYourCalm);
    }
  }

  // ---- the end ----

  /** Asks the client to go elsewhere, and closes once its calls are done. */
  drain(): void {
    this.drainState.begin();
  }

  onPingAnswer(bytes: Buffer, start: number): void {
    this.drainState.onPingAnswer(bytes, start);
  }

  /** Ends the connection because of an error: GOAWAY, then the socket closes. */
  fail(cause: unknown): void {
    if (this.isClosing) return;
    const isProtocol = cause instanceof ConnectionError;
    this.environment.counters.connectionErrors++;
    this.environment.onError(cause, this);
    const code = isProtocol ? cause.code : ErrorCode.internalError;
    this.frames.goaway(this.lastStreamId, code, isProtocol ? cause.message : "internal error");
    this.close();
  }

  /** Sends what is encoded, then closes. Open streams are aborted. */
  close(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.abortStreams();
    this.flush();
    this.socket.end();
    // Bytes that are still unread when a socket closes make the kernel drop what it has not delivered, GOAWAY
    // included: so the socket stays open for reading for a moment.
    this.socket.resume();
    this.environment.timers.arm(lingerAfterErrorMs, { onTimer: () => this.socket.destroy() });
  }

  /** Closes without a word: the peer is not there to hear it. */
  abandon(reason: string): void {
    this.environment.onError(new ConnectionError(ErrorCode.noError, reason), this);
    this.onSocketGone();
  }

  private onSocketGone(): void {
    if (this.isClosed) return;
    this.isClosing = true;
    this.isClosed = true;
    this.output.close();
    this.keepalive.stop();
    this.stall.stop();
    this.lingering.stop();
    this.input.stop();
    this.drainState.stop();
    this.abortStreams();
    this.socket.destroy();
    this.environment.onClosed(this);
  }

  /** Closes at once. */
  destroy(): void {
    this.onSocketGone();
  }

  private abortStreams(): void {
    const open = [...this.streams.values()];
    this.streams.clear();
    for (const stream of open) {
      stream.remoteClosed = true;
      stream.localClosed = true;
      if (stream.outgoing !== undefined) this.dropOutput(stream.outgoing);
    }
    // Nothing is said or heard any more; but there may be very many who want to know it.
    inPortions(open, this.environment.clock, (stream) => stream.onAborted(ErrorCode.cancel));
  }
}
