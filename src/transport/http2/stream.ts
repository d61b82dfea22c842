import type { Http2Connection } from "./connection.ts";
import type { ErrorCode } from "./protocol.ts";
import type { RequestHead } from "./request-head.ts";
import { type BlockMaker, SendBuffer } from "./send-buffer.ts";

/**
 * One exchange on a connection: the state of RFC 9113, 5.1, both flow-control windows, and what waits to be sent.
 * The application derives from it: one object a call. There are very many of them, so what only some need is in
 * objects of its own.
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
  /** What waits to be sent. */
  outgoing: SendBuffer | undefined = undefined;

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

  /** Body bytes that wait to be sent. */
  get pendingBytes(): number {
    return this.outgoing === undefined ? 0 : this.outgoing.pendingBytes;
  }

  /** Sends an encoded header block at once: header blocks are not subject to flow control. */
  sendHeaderBlock(block: Uint8Array, isEnd: boolean): void {
    if (this.localClosed) return;
    this.connection.frames.headers(this.id, block, isEnd);
    if (isEnd) this.closeLocal();
  }

  /** Queues body bytes. They must not change until they are sent. */
  queueData(bytes: Uint8Array): void {
    if (this.localClosed || bytes.length === 0) return;
    this.outgoing ??= new SendBuffer();
    if (this.outgoing.isFinishing) return;
    this.outgoing.push(bytes);
    this.connection.addPending(bytes.length);
    this.connection.schedule(this);
  }

  /** After what is queued: trailers, or a bare END_STREAM. */
  finish(trailers: BlockMaker | undefined): void {
    if (this.localClosed) return;
    if (this.pendingBytes === 0 && trailers !== undefined) {
      this.sendHeaderBlock(trailers(), true);
      return;
    }
    this.outgoing ??= new SendBuffer();
    if (this.outgoing.isFinishing) return;
    this.outgoing.isFinishing = true;
    this.outgoing.trailers = trailers;
    this.connection.schedule(this);
  }

  /** Ends the exchange with RST_STREAM. What waits is dropped. */
  reset(code: ErrorCode): void {
    this.connection.resetStream(this, code);
  }

  /** We have sent END_STREAM. */
  closeLocal(): void {
    this.localClosed = true;
    if (this.remoteClosed) this.connection.complete(this);
    else this.connection.linger(this);
  }
}
