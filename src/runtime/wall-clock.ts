/** The time of day with microseconds, which `Date` does not have. */

let originMs = Number.NaN;

/**
 * Milliseconds since 1970 with a fraction. Runs on the monotonic clock, and jumps when the system's clock was set: two
 * lines of a log are in order unless somebody turned the clock back.
 */
export function preciseWallMs(): number {
  const coarse = Date.now();
  const monotonic = performance.now();
  const precise = originMs + monotonic;
  if (Math.abs(precise - coarse) < 20) return precise;
  originMs = coarse - monotonic;
  return coarse;
}

/** Minutes east of Greenwich. */
export const localZone = (atMs: number): number => -new Date(atMs).getTimezoneOffset();
