/**
 * Giving memory back. Engines collect when there is much new garbage, and so what a burst of requests leaves behind stays
 * for as long as the server is idle. Only Bun can be asked to collect; elsewhere these do nothing.
 */

interface Collector {
  gc(force: boolean): unknown;
}

const collector = (globalThis as { Bun?: Collector }).Bun;

/** Collects before it returns: for a worker, whose event loop nobody waits for. */
export function collectNow(): void {
  collector?.gc(true);
}

/** Has a collection made beside the running program. */
export function collectSoon(): void {
  collector?.gc(false);
}

/** How often `collectWhenQuiet` looks, and so how long it takes for work to have ended. */
const lookMs = 1_000;

/** Collects once each time that `work`, a number that grows with the work done, stands still after it has grown. */
export function collectWhenQuiet(work: () => number): { stop(): void } {
  let last = work();
  let collected = true;
  const timer = setInterval(() => {
    const now = work();
    if (now !== last) collected = false;
    else if (!collected) {
      collected = true;
      collectSoon();
    }
    last = now;
  }, lookMs);
  timer.unref?.();
  return { stop: () => clearInterval(timer) };
}
