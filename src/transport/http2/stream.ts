import type { Http2Connection } from "./connection.ts";
import type { ErrorCode } from "./protocol.ts";
import type { RequestHead } from "./request-head.ts";

/** Encodes a header block at the moment it is sent: what it may refer to depends on the blocks sent before. */
export type BlockMaker = () => Uint8Array;

/**
 * One exchange on a connection: the state of RFC 9113, 5.1, both flow-control windows, and what waits to be sent.
 * The application derives from it: one object a call.
 *
 * A stream is made by a request's HEADERS, so it is never idle: it is open, half closed (`remoteClosed` or
 * `localClosed`), or closed (both, or reset), and a closed one is no longer known to its connection.
 */
export abstract class Http2Stream {
  readonly id: number;
  readonly connection: Http2Connection;
  readonly head: RequestHead;
  /** What the peer lets us send. Negative after it lowered its initial window. */
  sendWindow: number;
  /** What the peer may still send, and what was used up since we last said so. */
  receiveWindow: number;
  receiveOwed = 0;
  /** Octets of DATA so far, to be compared with content-length. */
  receivedBytes = 0;
  /** The peer sent END_STREAM or RST_STREAM. */
  remoteClosed = false;
  /** We sent END_STREAM or RST_STREAM. */
  localClosed = false;
  /** In the connection's queue of streams that have something to send. */
  isScheduled = false;
  /** Body bytes that wait. The first one is sent up to `queueOffset`. */
  private queue: Uint8Array[] | undefined = undefined;
  private queueAt = 0;
  private queueOffset = 0;
  pendingBytes = 0;
  /** Once the queue is empty, END_STREAM goes out: on these trailers, or on the last DATA frame if there are none. */
  isFinishing = false;
  private trailers: BlockMaker | undefined = undefined;

  constructor(connection: Http2Connection, id: number, head: RequestHead) {
    this.connection = connection;
    this.id = id;
    this.head = head;
    this.sendWindow = connection.peerInitialWindow;
    this.receiveWindow = connection.limits.streamWindowBytes;
  }

  /** The connection knows the stream now: answers may be sent. */
  abstract onOpen(): void;
  /** The request's body: `bytes[start, end)`. The bytes may be kept. Call `consume` for what needs no more room. */
  abstract onData(bytes: Buffer, start: number, end: number): void;
  /** The request is whole. Comes after its last `onData`. */
  abstract onRequestEnd(): void;
  /** The exchange is over before its time: the peer reset it, the connection is gone, or we had to reset it. */
  abstract onAborted(code: ErrorCode): void;
  /** Fields after the body. */
  onTrailers(_fields: readonly string[]): void {}
  /** Called when waiting bytes went out. */
  onSent(): void {}

  /** Gives `count` received bytes back to the peer's window. */
  consume(count: number): void {
    this.receiveOwed += count;
    if (!this.remoteClosed && this.receiveOwed >= this.connection.limits.streamWindowBytes >> 1) {
      this.connection.frames.windowUpdate(this.id, this.receiveOwed);
      this.receiveWindow += this.receiveOwed;
      this.receiveOwed = 0;
    }
  }

  /** Sends an encoded header block at once: header blocks are not subject to flow control. */
  sendHeaderBlock(block: Uint8Array, isEnd: boolean): void {
    if (this.localClosed) return;
    this.connection.frames.headers(this.id, block, isEnd);
    if (isEnd) this.closeLocal();
  }

  /** Queues body bytes. They must not change until they are sent. */
  queueData(bytes: Uint8Array): void {
    if (this.localClosed || this.isFinishing || bytes.length === 0) return;
    if (this.queue === undefined) this.queue = [bytes];
    else this.queue.push(bytes);
    this.pendingBytes += bytes.length;
    this.connection.addPending(bytes.length);
    this.connection.schedule(this);
  }

  /** After what is queued: trailers, or a bare END_STREAM. */
  finish(trailers: BlockMaker | undefined): void {
    if (this.localClosed || this.isFinishing) return;
    if (this.pendingBytes === 0 && trailers !== undefined) {
      this.sendHeaderBlock(trailers(), true);
      return;
    }
    this.isFinishing = true;
    this.trailers = trailers;
    this.connection.schedule(this);
  }

  /** Ends the exchange with RST_STREAM. What waits is dropped. */
  reset(code: ErrorCode): void {
    this.connection.resetStream(this, code);
  }

  /** Whether the queue has something that the peer's window for this stream lets out. */
  get canSend(): boolean {
    return this.pendingBytes > 0 ? this.sendWindow > 0 : this.isFinishing;
  }

  /** For the connection: moves `count` bytes of the queue into `target`. */
  takeQueued(target: Uint8Array, at: number, count: number): void {
    const queue = this.queue!;
    this.pendingBytes -= count;
    this.sendWindow -= count;
    while (count > 0) {
      const bytes = queue[this.queueAt]!;
      const take = Math.min(count, bytes.length - this.queueOffset);
      target.set(bytes.subarray(this.queueOffset, this.queueOffset + take), at);
      at += take;
      count -= take;
      this.queueOffset += take;
      if (this.queueOffset < bytes.length) break;
      this.queueOffset = 0;
      this.queueAt++;
    }
    if (this.pendingBytes === 0) {
      this.queue = undefined;
      this.queueAt = 0;
    } else if (this.queueAt > 64 && this.queueAt * 2 > queue.length) {
      queue.splice(0, this.queueAt);
      this.queueAt = 0;
    }
  }

  /** For the connection: the queue is empty and the stream is finishing. */
  sendTrailers(): void {
    if (this.trailers === undefined) return;
    this.connection.frames.headers(this.id, this.trailers(), true);
    this.closeLocal();
  }

  get hasTrailers(): boolean {
    return this.trailers !== undefined;
  }

  /** Forgets what waits to be sent. Returns how many bytes that was. */
  dropQueued(): number {
    const dropped = this.pendingBytes;
    this.queue = undefined;
    this.queueAt = 0;
    this.queueOffset = 0;
    this.pendingBytes = 0;
    return dropped;
  }

  /** We have sent END_STREAM. */
  closeLocal(): void {
    this.localClosed = true;
    if (this.remoteClosed) this.connection.complete(this);
    else this.connection.linger(this);
  }
}
