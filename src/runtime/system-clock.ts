/** The machine's own clock. */
import type { Clock } from "../lib/clock.ts";
import { PatientTimer } from "../lib/patient-timer.ts";

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, callback) => new PatientTimer(delayMs, callback).unref(),
  nextTurn: (callback) => {
    setImmediate(callback);
  },
};
