import type { TimerEntry, TimerTarget } from "../timers/coarse-timers.ts";
import type { Http2Connection } from "./connection.ts";
import { ErrorCode } from "./protocol.ts";
import type { Http2Stream } from "./stream.ts";

/** How long a request may go on after its answer. */
const lingerMs = 1_000;

/**
 * Streams that were answered before their request ended. Most requests end a moment later by themselves; what goes
 * on is told to stop, with RST_STREAM and NO_ERROR (RFC 9113, 8.1).
 */
export class Lingering implements TimerTarget {
  private readonly connection: Http2Connection;
  /** In the order of their answers, with the time when each has to be over. */
  private readonly streams = new Map<Http2Stream, number>();
  private timer: TimerEntry | undefined = undefined;

  constructor(connection: Http2Connection) {
    this.connection = connection;
  }

  add(stream: Http2Stream): void {
    const { timers } = this.connection.environment;
    this.streams.set(stream, timers.now() + lingerMs);
    this.timer ??= timers.arm(lingerMs, this);
  }

  delete(stream: Http2Stream): void {
    if (this.streams.size > 0) this.streams.delete(stream);
  }

  onTimer(): void {
    this.timer = undefined;
    const { timers } = this.connection.environment;
    const now = timers.now();
    for (const [stream, endMs] of this.streams) {
      if (endMs > now) {
        this.timer = timers.arm(endMs - now, this);
        return;
      }
      this.streams.delete(stream);
      stream.reset(ErrorCode.noError);
    }
  }

  stop(): void {
    this.timer?.cancel();
    this.streams.clear();
  }
}
