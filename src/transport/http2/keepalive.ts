import type { CoarseTimers, TimerEntry, TimerTarget } from "../timers/coarse-timers.ts";
import type { Http2Connection } from "./connection.ts";
import { ConnectionError, ErrorCode } from "./protocol.ts";

export interface KeepaliveLimits {
  /** `--grpc-keepalive-min-time`: the least time between two pings of a client. */
  readonly keepaliveMinTimeMs: number;
  /** `--grpc-keepalive-interval`: how long a silent connection waits before we ping it; 0 is never. */
  readonly keepaliveIntervalMs: number;
  /** `--grpc-keepalive-timeout`: how long the answer to that ping may take. */
  readonly keepaliveTimeoutMs: number;
}

/** grpc-go: the ping after this many strikes ends the connection. */
const maxPingStrikes = 2;
/** grpc-go: the least time between pings on a connection without streams (etcd does not permit keepalive there). */
const minTimeWithoutStreamMs = 2 * 3_600_000;
/**
 * How long a ping that seems unanswered waits for a second look: after a pause of the whole process, timers fire
 * before what came meanwhile is read, so the answer may lie there unread.
 */
const lastLookMs = 50;
const pingPayload = Buffer.from("etclite\0", "latin1");

/** Both directions of gRPC's keepalive (grpc/proposal A8 and A9): judges the client's pings, and sends ours. */
export class Keepalive implements TimerTarget {
  /** Set whenever HEADERS or DATA go out: then the next ping is free and the strikes are forgotten. */
  hasSent = false;
  private readonly connection: Http2Connection;
  private readonly limits: KeepaliveLimits;
  private readonly timers: CoarseTimers;
  private strikes = 0;
  private lastPingMs = Number.NEGATIVE_INFINITY;
  private timer: TimerEntry | undefined = undefined;
  private pingedAtMs: number | undefined = undefined;
  private isLastLook = false;

  constructor(connection: Http2Connection, limits: KeepaliveLimits, timers: CoarseTimers) {
    this.connection = connection;
    this.limits = limits;
    this.timers = timers;
    const { keepaliveIntervalMs, keepaliveTimeoutMs } = limits;
    // As in etcd, a zero in either of them turns our pings off.
    if (keepaliveIntervalMs > 0 && keepaliveTimeoutMs > 0) this.timer = timers.arm(keepaliveIntervalMs, this);
  }

  /** A PING (not an answer) came. Throws once there were too many. */
  onPing(nowMs: number): void {
    const last = this.lastPingMs;
    this.lastPingMs = nowMs;
    if (this.hasSent) {
      this.hasSent = false;
      this.strikes = 0;
      return;
    }
    const leastMs =
      this.connection.streams.size > 0 ? this.limits.keepaliveMinTimeMs : minTimeWithoutStreamMs;
    if (nowMs - last < leastMs) this.strikes++;
    if (this.strikes > maxPingStrikes) throw new ConnectionError(ErrorCode.enhanceYourCalm, "too_many_pings");
  }

  onTimer(): void {
    const { keepaliveIntervalMs, keepaliveTimeoutMs } = this.limits;
    const silentMs = this.timers.now() - this.connection.input.lastReadMs;
    if (this.pingedAtMs !== undefined && this.connection.input.lastReadMs < this.pingedAtMs) {
      if (this.isLastLook) {
        this.connection.abandon("keepalive ping not answered in time");
      } else {
        this.isLastLook = true;
        this.timer = this.timers.arm(lastLookMs, this);
      }
      return;
    }
    this.pingedAtMs = undefined;
    this.isLastLook = false;
    if (silentMs < keepaliveIntervalMs) {
      this.timer = this.timers.arm(keepaliveIntervalMs - silentMs, this);
      return;
    }
    this.pingedAtMs = this.timers.now();
    this.connection.frames.ping(pingPayload, 0, false);
    this.timer = this.timers.arm(keepaliveTimeoutMs, this);
  }

  stop(): void {
    this.timer?.cancel();
  }
}
