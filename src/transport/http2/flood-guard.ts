import type { ConnectionLimits } from "./limits.ts";
import { ConnectionError, ErrorCode } from "./protocol.ts";

/**
 * Counts what a hostile peer can have for nothing, and ends the connection with ENHANCE_YOUR_CALM when it takes too
 * much of it. All of it is per connection; the names of the limits are in limits.ts.
 */
export class FloodGuard {
  private readonly limits: ConnectionLimits;
  private resetTokens: number;
  private refilledAtMs: number;
  private controlTokens: number;
  private controlRefilledAtMs: number;
  private emptyFrames = 0;
  private pendingAcks = 0;

  constructor(limits: ConnectionLimits, nowMs: number) {
    this.limits = limits;
    this.resetTokens = limits.maxResets;
    this.refilledAtMs = nowMs;
    this.controlTokens = limits.maxControlFrames;
    this.controlRefilledAtMs = nowMs;
  }

  /** A stream ended by RST_STREAM before its answer, by the peer or because of it. */
  onReset(nowMs: number): void {
    const { maxResets, resetRefillPerSecond } = this.limits;
    const refill = ((nowMs - this.refilledAtMs) / 1000) * resetRefillPerSecond;
    this.resetTokens = Math.min(maxResets, this.resetTokens + refill) - 1;
    this.refilledAtMs = nowMs;
    if (this.resetTokens < 0) throw tooMuch("too many reset streams");
  }

  /** A stream ended as it should. */
  onStreamDone(): void {
    this.resetTokens++;
  }

  /** SETTINGS, PING, PRIORITY, WINDOW_UPDATE, or a frame of unknown type. */
  onControlFrame(nowMs: number): void {
    if (--this.controlTokens >= 0) return;
    const { maxControlFrames, controlRefillPerSecond } = this.limits;
    const refill = ((nowMs - this.controlRefilledAtMs) / 1000) * controlRefillPerSecond;
    this.controlTokens = Math.min(maxControlFrames, refill - 1);
    this.controlRefilledAtMs = nowMs;
    if (this.controlTokens < 0) throw tooMuch("too many control frames");
  }

  onEmptyFrame(): void {
    if (++this.emptyFrames > this.limits.maxEmptyFrames) throw tooMuch("too many empty frames");
  }

  /** A frame that carries a request or a part of one: what was spent on control frames is forgiven. */
  onUsefulFrame(): void {
    this.emptyFrames = 0;
    this.controlTokens = this.limits.maxControlFrames;
  }

  /** An answer to PING or SETTINGS is about to be queued. */
  onAck(): void {
    if (++this.pendingAcks > this.limits.maxPendingAcks)
      throw tooMuch("answers to PING and SETTINGS are not read");
  }

  /** All output is in the kernel. */
  onOutputGone(): void {
    this.pendingAcks = 0;
  }
}

function tooMuch(what: string): ConnectionError {
  return new ConnectionError(ErrorCode.enhanceYourCalm, what);
}
