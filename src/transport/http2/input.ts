import type { Http2Connection } from "./connection.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { Preface } from "./preface.ts";
import { defaultMaxFrameBytes } from "./protocol.ts";

/** Frames between two looks at the clock. */
const framesPerClockLook = 64;

/**
 * What comes from the socket, on its way to becoming frames. A connection that keeps the event loop busy for longer
 * than `turnBudgetMs` is interrupted: the rest waits for a later turn, and nothing more is read until then.
 */
export class Input implements FrameSink {
  readonly preface: Preface;
  /** When bytes last came, on the timers' clock. */
  lastReadMs: number;
  private readonly connection: Http2Connection;
  private readonly reader: FrameReader;
  private turnStartMs = 0;
  private framesLeft = framesPerClockLook;
  /** What is left of a turn that was over, and what came since. */
  private backlog: Buffer[] | undefined = undefined;

  constructor(connection: Http2Connection) {
    this.connection = connection;
    this.preface = new Preface(connection);
    this.reader = new FrameReader(this, defaultMaxFrameBytes);
    this.lastReadMs = connection.environment.timers.now();
  }

  receive(chunk: Buffer): void {
    if (this.connection.isClosing) return;
    this.lastReadMs = this.connection.environment.timers.now();
    if (this.backlog !== undefined) {
      this.backlog.push(chunk);
      return;
    }
    this.turnStartMs = this.lastReadMs;
    this.framesLeft = framesPerClockLook;
    this.handle(chunk);
  }

  stop(): void {
    this.preface.stop();
    this.backlog = undefined;
  }

  private handle(chunk: Buffer): void {
    try {
      const at = this.preface.isDone ? 0 : this.preface.check(chunk);
      const handled = this.reader.read(chunk, at);
      if (handled < chunk.length && !this.connection.isClosing) this.yieldTurn(chunk.subarray(handled));
    } catch (cause) {
      this.connection.fail(cause);
    }
  }

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (!this.connection.isClosing) this.connection.onFrame(type, flags, streamId, bytes, start, end);
  }

  shouldYield(): boolean {
    if (this.connection.isClosing) return true;
    if (--this.framesLeft > 0) return false;
    this.framesLeft = framesPerClockLook;
    return this.connection.environment.timers.now() - this.turnStartMs > this.connection.limits.turnBudgetMs;
  }

  private yieldTurn(rest: Buffer): void {
    if (this.backlog === undefined) {
      this.backlog = [rest];
      this.connection.socket.pause();
    } else {
      this.backlog.unshift(rest);
    }
    setImmediate(() => this.continueTurn());
  }

  private continueTurn(): void {
    const { backlog } = this;
    if (backlog === undefined || this.connection.isClosing) return;
    this.turnStartMs = this.connection.environment.timers.now();
    this.framesLeft = framesPerClockLook;
    for (let chunk = backlog.shift(); chunk !== undefined; chunk = backlog.shift()) {
      const before = backlog.length;
      this.handle(chunk);
      if (this.connection.isClosing || backlog.length > before) return;
    }
    this.backlog = undefined;
    this.connection.socket.resume();
  }
}
