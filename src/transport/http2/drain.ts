import type { TimerEntry } from "../timers/coarse-timers.ts";
import type { Http2Connection } from "./connection.ts";
import { ErrorCode, maxStreamId } from "./protocol.ts";

/** How long the answer to the ping between the two GOAWAYs may take. */
const drainPingTimeoutMs = 1_000;
const drainPing = Buffer.from("draining", "latin1");

/**
 * A graceful end (6.8). A first GOAWAY says that no more requests should come, without refusing those under way;
 * the answer to a ping behind it proves that the client has read it; a second one then names the last stream that is
 * served. When that was answered the connection closes.
 */
export class Drain {
  private readonly connection: Http2Connection;
  private state: "no" | "announced" | "final" = "no";
  private timer: TimerEntry | undefined = undefined;

  constructor(connection: Http2Connection) {
    this.connection = connection;
  }

  /** Whether new streams come too late. */
  get refuses(): boolean {
    return this.state === "final";
  }

  begin(): void {
    const { connection } = this;
    if (this.state !== "no" || connection.isClosing) return;
    this.state = "announced";
    connection.frames.goaway(maxStreamId, ErrorCode.noError, "graceful_stop");
    connection.frames.ping(drainPing, 0, false);
    this.timer = connection.environment.timers.arm(drainPingTimeoutMs, { onTimer: () => this.finish() });
  }

  onPingAnswer(bytes: Buffer, start: number): void {
    if (this.state === "announced" && drainPing.equals(bytes.subarray(start, start + 8))) this.finish();
  }

  private finish(): void {
    if (this.state !== "announced") return;
    this.state = "final";
    this.timer?.cancel();
    this.connection.frames.goaway(this.connection.lastStreamId, ErrorCode.noError, "graceful_stop");
    if (this.connection.streams.size === 0) this.connection.close();
  }

  /** The last stream has ended. */
  onIdle(): void {
    if (this.state === "final") this.connection.close();
  }

  stop(): void {
    this.timer?.cancel();
  }
}
