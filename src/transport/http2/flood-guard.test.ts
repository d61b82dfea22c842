import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FloodGuard } from "./flood-guard.ts";
import { defaultConnectionLimits } from "./limits.ts";
import { ConnectionError, ErrorCode } from "./protocol.ts";

const limits = {
  ...defaultConnectionLimits,
  maxResets: 3,
  resetRefillPerSecond: 2,
  maxControlFrames: 3,
  controlRefillPerSecond: 2,
  maxEmptyFrames: 3,
  maxPendingAcks: 3,
};

function calmed(run: () => void): void {
  assert.throws(run, (cause) => cause instanceof ConnectionError && cause.code === ErrorCode.enhanceYourCalm);
}

function times(count: number, run: () => void): void {
  for (let index = 0; index < count; index++) run();
}

describe("FloodGuard", () => {
  it("lets maxResets streams be reset at once, and then as many as come back", () => {
    const guard = new FloodGuard(limits, 0);
    times(3, () => guard.onReset(0));
    calmed(() => guard.onReset(0));
  });

  it("forgives resets with time", () => {
    const guard = new FloodGuard(limits, 0);
    times(3, () => guard.onReset(0));
    guard.onReset(500);
    calmed(() => guard.onReset(600));
  });

  it("forgives resets with streams that end well, but saves none up", () => {
    const guard = new FloodGuard(limits, 0);
    times(100, () => guard.onStreamDone());
    times(3, () => guard.onReset(0));
    guard.onStreamDone();
    guard.onReset(0);
    calmed(() => guard.onReset(0));
  });

  it("bounds control frames between useful ones", () => {
    const guard = new FloodGuard(limits, 0);
    times(3, () => guard.onControlFrame(0));
    guard.onUsefulFrame();
    times(3, () => guard.onControlFrame(0));
    calmed(() => guard.onControlFrame(0));
  });

  it("lets control frames come for ever if they come slowly", () => {
    const guard = new FloodGuard(limits, 0);
    for (let second = 0; second < 100; second++) guard.onControlFrame(second * 1000);
  });

  it("bounds empty frames in a row", () => {
    const guard = new FloodGuard(limits, 0);
    times(3, () => guard.onEmptyFrame());
    guard.onUsefulFrame();
    times(3, () => guard.onEmptyFrame());
    calmed(() => guard.onEmptyFrame());
  });

  it("bounds answers that nobody reads", () => {
    const guard = new FloodGuard(limits, 0);
    times(3, () => guard.onAck());
    guard.onOutputGone();
    times(3, () => guard.onAck());
    calmed(() => guard.onAck());
  });
});
