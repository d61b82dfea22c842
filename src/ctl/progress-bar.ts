/** How far long work is: a line on standard error that is written again and again, if somebody is there to see it. */
import type { CtlIo } from "./io.ts";

const width = 30;
const everyMs = 100;

export interface ProgressBar {
  /** `total` may be learnt on the way. */
  at(done: number, total: number): void;
  /** Takes the line away. */
  end(): void;
}

export function progressBar(io: CtlIo, what: string): ProgressBar {
  if (!io.isTerminal) return { at() {}, end() {} };
  let shownAt = Number.NEGATIVE_INFINITY;
  let isShown = false;
  return {
    at(done, total) {
      const now = performance.now();
      if (now - shownAt < everyMs || total <= 0) return;
      shownAt = now;
      isShown = true;
      const share = Math.min(1, done / total);
      const bar = "━".repeat(Math.round(share * width)).padEnd(width, "·");
      io.err(`\r${what} ${bar} ${Math.floor(share * 100)}%\x1b[K`);
    },
    end() {
      if (isShown) io.err("\r\x1b[K");
    },
  };
}
