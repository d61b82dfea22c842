import type { Http2Connection } from "./connection.ts";
import { defaultInitialWindow, defaultMaxFrameBytes } from "./protocol.ts";
import type { Http2Stream } from "./stream.ts";

/** What one connection may encode in one turn: copying it takes well under a millisecond. */
const maxBytesPerTurn = 1024 * 1024;

/**
 * The streams of a connection that have body bytes to send, in turn: each gives one DATA frame and goes to the end
 * of the line. Stops when the peer's connection window is used up or when enough waits in the socket.
 */
export class SendQueue {
  /** The peer's window for the whole connection. */
  window = defaultInitialWindow;
  /** Body bytes that wait in all streams. */
  pendingBytes = 0;
  private readonly connection: Http2Connection;
  private ready: Http2Stream[] = [];
  private readyAt = 0;

  constructor(connection: Http2Connection) {
    this.connection = connection;
  }

  /** Puts a stream in line if it has something that may go out. */
  add(stream: Http2Stream): void {
    if (stream.isScheduled || !stream.canSend) return;
    stream.isScheduled = true;
    this.ready.push(stream);
  }

  get isIdle(): boolean {
    return this.readyAt === this.ready.length;
  }

  /** Whether a call to `pump` would send anything. */
  get canPump(): boolean {
    return !this.isIdle && !this.connection.output.blocked;
  }

  /** Encodes as much as may go out now. Returns true if it stopped only to give others their turn. */
  pump(): boolean {
    const { output } = this.connection;
    let budget = maxBytesPerTurn;
    while (!this.isIdle && !output.blocked) {
      if (budget <= 0) return true;
      const stream = this.ready[this.readyAt]!;
      // Whoever is first waits for the connection's window, and so do all behind.
      if (stream.pendingBytes > 0 && this.window <= 0 && stream.sendWindow > 0 && !stream.localClosed)
        return false;
      this.readyAt++;
      if (this.readyAt > 256 && this.readyAt * 2 > this.ready.length) this.compact();
      stream.isScheduled = false;
      if (!stream.localClosed) budget -= this.sendOne(stream);
    }
    if (this.isIdle) this.compact();
    return false;
  }

  /** One frame of a stream. Returns the body bytes sent. */
  private sendOne(stream: Http2Stream): number {
    const { connection } = this;
    if (stream.pendingBytes === 0) {
      if (stream.isFinishing) this.sendEnd(stream);
      return 0;
    }
    if (stream.sendWindow <= 0) return 0;
    const count = Math.min(defaultMaxFrameBytes, stream.sendWindow, this.window, stream.pendingBytes);
    const isEnd = count === stream.pendingBytes && stream.isFinishing && !stream.hasTrailers;
    const at = connection.frames.data(stream.id, count, isEnd);
    stream.takeQueued(connection.output.bytes, at, count);
    this.window -= count;
    this.pendingBytes -= count;
    if (isEnd) stream.closeLocal();
    else this.add(stream);
    stream.onSent();
    return count;
  }

  private sendEnd(stream: Http2Stream): void {
    if (stream.hasTrailers) {
      stream.sendTrailers();
      return;
    }
    this.connection.frames.data(stream.id, 0, true);
    stream.closeLocal();
  }

  private compact(): void {
    this.ready.splice(0, this.readyAt);
    this.readyAt = 0;
  }
}
