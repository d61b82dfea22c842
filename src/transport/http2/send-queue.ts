import type { Http2Connection } from "./connection.ts";
import { defaultInitialWindow, defaultMaxFrameBytes } from "./protocol.ts";
import type { SendBuffer } from "./send-buffer.ts";
import type { Http2Stream } from "./stream.ts";

/** What one connection may encode in one turn: copying it takes well under a millisecond. */
const maxBytesPerTurn = 1024 * 1024;
/** Streams that had their turn are dropped from the front of the line in batches of this many. */
const compactAfter = 256;

/**
 * The streams of a connection that have body bytes to send, in turn: each gives one DATA frame and goes to the end
 * of the line. Stops when the peer's connection window is used up or when enough waits in the socket.
 */
export class SendQueue {
  /** The peer's window for the whole connection. */
  window = defaultInitialWindow;
  private readonly connection: Http2Connection;
  private line: Http2Stream[] = [];
  private first = 0;

  constructor(connection: Http2Connection) {
    this.connection = connection;
  }

  /** Puts a stream in line if it has something that its window lets out. Returns whether it is in line. */
  add(stream: Http2Stream): boolean {
    const { outgoing } = stream;
    if (outgoing === undefined) return false;
    if (outgoing.isScheduled) return true;
    if (outgoing.pendingBytes > 0 ? stream.sendWindow <= 0 : !outgoing.isFinishing) return false;
    outgoing.isScheduled = true;
    this.line.push(stream);
    return true;
  }

  /** Whether a call to `pump` would send anything. */
  get canPump(): boolean {
    return this.first < this.line.length && !this.connection.output.blocked;
  }

  /** Encodes as much as may go out now. Returns true if it stopped only to give others their turn. */
  pump(): boolean {
    let budget = maxBytesPerTurn;
    while (this.canPump) {
      if (budget <= 0) return true;
      const stream = this.line[this.first]!;
      const outgoing = stream.outgoing!;
      // Whoever is first waits for the connection's window, and so do all behind.
      if (this.window <= 0 && outgoing.pendingBytes > 0 && !stream.localClosed) return false;
      this.first++;
      if (this.first >= compactAfter) this.compact();
      outgoing.isScheduled = false;
      if (!stream.localClosed) budget -= this.sendOne(stream, outgoing);
    }
    if (this.first === this.line.length) this.compact();
    return false;
  }

  /** One frame of a stream. Returns the body bytes sent. */
  private sendOne(stream: Http2Stream, outgoing: SendBuffer): number {
    const { frames, output } = this.connection;
    let count = 0;
    if (outgoing.pendingBytes > 0) {
      count = Math.min(defaultMaxFrameBytes, stream.sendWindow, this.window, outgoing.pendingBytes);
      if (count <= 0) return 0;
    }
    const isLast = count === outgoing.pendingBytes && outgoing.isFinishing;
    const isEnd = isLast && outgoing.trailers === undefined;
    if (count > 0 || isEnd) {
      const at = frames.data(stream.id, count, isEnd);
      outgoing.take(output.bytes, at, count);
      stream.sendWindow -= count;
      this.window -= count;
      this.connection.room.changePending(-count);
    }
    if (isLast) {
      if (outgoing.trailers !== undefined) frames.headers(stream.id, outgoing.trailers(), true);
      stream.closeLocal();
    } else {
      this.add(stream);
    }
    stream.onSent();
    return count;
  }

  private compact(): void {
    this.line.splice(0, this.first);
    this.first = 0;
  }
}
