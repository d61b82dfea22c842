/**
 * Giving memory back. Engines collect when there is much new garbage, and so what a burst of requests leaves behind stays
 * for as long as the server is idle. Only Bun can be asked to collect; elsewhere these do nothing.
 */
import { releaseProgramPages } from "./program-pages.ts";

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

/** How often `giveBackWhenQuiet` looks, and so how long it takes for work to have ended. */
const lookMs = 1_000;

/** Pages of the program are given back this seldom: most of those that are used again after it will be so each time. */
const pagesEveryMs = 10 * 60_000;

/**
 * Gives memory back each time that `work`, a number that grows with the work done, stands still after it has grown: what
 * is garbage at the first look that finds it so, and pages of the program at the next one, for collecting uses them too.
 */
export function giveBackWhenQuiet(work: () => number): { stop(): void } {
  let last = work();
  let toDo: "nothing" | "garbage" | "pages" = "nothing";
  let pagesAtMs = Number.NEGATIVE_INFINITY;
  const timer = setInterval(() => {
    const now = work();
    if (now !== last) toDo = "garbage";
    else if (toDo === "garbage") {
      toDo = "pages";
      collectSoon();
    } else if (toDo === "pages") {
      toDo = "nothing";
      if (performance.now() - pagesAtMs >= pagesEveryMs) {
        pagesAtMs = performance.now();
        void releaseProgramPages();
      }
    }
    last = now;
  }, lookMs);
  timer.unref?.();
  return { stop: () => clearInterval(timer) };
}
