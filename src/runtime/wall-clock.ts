/** The time of day with microseconds, which `Date` does not have. */

let originMs = Number.NaN;
/** The two clocks may be so far apart before one of them counts as set. */
const apartMsMax = 20;
/** How often both are read when the process pauses in between. */
const readsMax = 5;

/**
 * Milliseconds since 1970 with a fraction. Runs on the monotonic clock, and jumps when the system's clock was set: two
 * lines of a log are in order unless somebody turned the clock back.
 */
export function preciseWallMs(): number {
  let beforeMs = performance.now();
  for (let reads = 1; ; reads++) {
    const coarse = Date.now();
    const monotonic = performance.now();
    const precise = originMs + monotonic;
    if (Math.abs(precise - coarse) < apartMsMax) return precise;
    // Nobody has set a clock if it is this process that was halted between the two.
    if (monotonic - beforeMs < 1 || reads === readsMax) {
      originMs = coarse - monotonic;
      return coarse;
    }
    beforeMs = monotonic;
  }
}

/** Minutes east of Greenwich. */
export const localZone = (atMs: number): number => -new Date(atMs).getTimezoneOffset();
