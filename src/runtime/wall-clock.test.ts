import assert from "node:assert/strict";
import { it } from "node:test";
import { localZone, preciseWallMs } from "./wall-clock.ts";

it("is near the system's clock and never goes back", () => {
  let last = preciseWallMs();
  for (let i = 0; i < 10_000; i++) {
    const before = Date.now();
    const now = preciseWallMs();
    assert.ok(now >= last, `${now} after ${last}`);
    const after = Date.now();
    assert.ok(now > before - 50 && now < after + 50, `${now} between ${before} and ${after}`);
    last = now;
  }
});

it("is not misled by a pause between its readings", () => {
  const { now } = Date;
  preciseWallMs();
  const last = preciseWallMs();
  Date.now = () => {
    Date.now = now;
    const read = now();
    for (const end = performance.now() + 60; performance.now() < end; );
    return read;
  };
  try {
    assert.ok(preciseWallMs() >= last + 60);
  } finally {
    Date.now = now;
  }
});

it("has more than milliseconds", () => {
  const fractions = new Set(Array.from({ length: 1_000 }, () => preciseWallMs() % 1));
  assert.ok(fractions.size > 1);
});

it("knows the local offset", () => {
  const zone = localZone(Date.now());
  assert.ok(Number.isInteger(zone) && Math.abs(zone) <= 14 * 60);
});
