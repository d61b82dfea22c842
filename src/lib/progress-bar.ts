/** How far long work is: a line on standard error that is written again and again, if somebody is there to see it. */

interface Screen {
  /** Somebody looks at what `err` writes. */
  readonly isTerminal: boolean;
  err(text: string): void;
}

const width = 30;
const everyMs = 100;

export interface ProgressBar {
  /** `total` may be learnt on the way, and is 0 until then. `part` is what of the work is being done. */
  at(done: number, total: number, part?: string): void;
  /** Takes the line away. */
  end(): void;
}

export function progressBar(screen: Screen, what: string): ProgressBar {
  if (!screen.isTerminal) return { at() {}, end() {} };
  let shownAt = Number.NEGATIVE_INFINITY;
  let isShown = false;
  return {
    at(done, total, part) {
      const now = performance.now();
      if (now - shownAt < everyMs || (total <= 0 && part === undefined)) return;
      shownAt = now;
      isShown = true;
      const name = part === undefined ? what : `${what} ${part}`;
      if (total <= 0) {
        screen.err(`\r${name}\x1b[K`);
        return;
      }
      const share = Math.min(1, done / total);
      const bar = "━".repeat(Math.round(share * width)).padEnd(width, "·");
      screen.err(`\r${name} ${bar} ${Math.floor(share * 100)}%\x1b[K`);
    },
    end() {
      if (isShown) screen.err("\r\x1b[K");
    },
  };
}
