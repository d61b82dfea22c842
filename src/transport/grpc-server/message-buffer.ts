import type { Http2Connection } from "../http2/connection.ts";
import { Deframer } from "./deframer.ts";

/** The part of a request that is here but was not handed up: incomplete, or not wanted yet. Few calls have one. */
export class MessageBuffer {
  readonly deframer = new Deframer();
  isPaused = false;
  /** Bytes that came while paused: the client gets no room for more until they are read. */
  unreadBytes = 0;
  private readonly connection: Http2Connection;

  constructor(connection: Http2Connection) {
    this.connection = connection;
  }

  /** False if the connection keeps too much already. */
  append(bytes: Buffer, start: number, end: number): boolean {
    if (!this.connection.hold(end - start)) return false;
    this.deframer.append(bytes, start, end);
    return true;
  }

  take(): Uint8Array {
    const before = this.deframer.heldBytes;
    const message = this.deframer.take();
    this.connection.release(before - this.deframer.heldBytes);
    return message;
  }

  drop(): void {
    this.connection.release(this.deframer.drop());
  }
}
