import type { TimerEntry, TimerTarget } from "../timers/coarse-timers.ts";
import type { Http2Connection } from "./connection.ts";

/**
 * The timeout is waited for in as many parts. A pause of our own process, in which nobody could take anything, takes
 * one of them at most, however long it is.
 */
const looks = 4;

/** Ends a connection whose socket takes nothing for `outputStallTimeoutMs` although output waits. */
export class StallTimer implements TimerTarget {
  private readonly connection: Http2Connection;
  private timer: TimerEntry | undefined = undefined;
  private waitedFor = 0;
  private looksInVain = 0;

  constructor(connection: Http2Connection) {
    this.connection = connection;
  }

  /** Output waits in the socket: from now on it has to get less. */
  arm(): void {
    if (this.timer !== undefined) return;
    this.waitedFor = this.goneBytes;
    this.looksInVain = 0;
    this.lookLater();
  }

  private lookLater(): void {
    const { timers } = this.connection.environment;
    this.timer = timers.arm(this.connection.limits.outputStallTimeoutMs / looks, this);
  }

  /** Bytes that the kernel has taken. */
  private get goneBytes(): number {
    return this.connection.output.sentBytes - this.connection.socket.writableLength;
  }

  onTimer(): void {
    this.timer = undefined;
    if (this.connection.socket.writableLength === 0) return;
    if (this.goneBytes !== this.waitedFor) this.arm();
    else if (++this.looksInVain < looks) this.lookLater();
    else this.connection.abandon("the peer reads nothing");
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }
}
