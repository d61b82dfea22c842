import type { TimerEntry } from "../timers/coarse-timers.ts";
import type { Http2Connection } from "./connection.ts";
import { ConnectionError, clientPreface, ErrorCode, flagAck, frameSettings } from "./protocol.ts";

/** The client's half of the preface (3.4): 24 fixed octets, then SETTINGS, and both in time. */
export class Preface {
  isDone = false;
  private matched = 0;
  private readonly timer: TimerEntry;

  constructor(connection: Http2Connection) {
    this.timer = connection.environment.timers.arm(connection.limits.prefaceTimeoutMs, {
      onTimer: () =>
        connection.fail(new ConnectionError(ErrorCode.protocolError, "no connection preface in time")),
    });
  }

  /** Compares as much as is there. Returns where frames begin. */
  check(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length && this.matched < clientPreface.length) {
      if (chunk[at++] !== clientPreface[this.matched++]) {
        throw new ConnectionError(ErrorCode.protocolError, "bad connection preface");
      }
    }
    return at;
  }

  onFirstFrame(type: number, flags: number): void {
    if (type !== frameSettings || flags & flagAck) {
      throw new ConnectionError(ErrorCode.protocolError, "the first frame is not SETTINGS");
    }
    this.isDone = true;
    this.stop();
  }

  stop(): void {
    this.timer.cancel();
  }
}
