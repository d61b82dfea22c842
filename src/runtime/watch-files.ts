/**
 * Tells when files change. By looking at them every few seconds: watching them by the system's means differs between
 * systems, and misses files behind links that are exchanged, which is how secrets are mounted in containers.
 */
import { statSync } from "node:fs";
import { stat } from "node:fs/promises";

const defaultIntervalMs = 2_000;

/** What is different when a file was written or exchanged. */
interface Seen {
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly size: number;
  readonly ino: number;
}

const mark = ({ mtimeMs, ctimeMs, size, ino }: Seen): string => `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
const gone = "gone";

function markNow(path: string): string {
  const seen = statSync(path, { throwIfNoEntry: false });
  return seen ? mark(seen) : gone;
}

/** What a file is at the moment of the call is what later looks are compared with. Does not keep the process alive. */
export function watchFiles(
  paths: readonly string[],
  changed: () => void,
  intervalMs = defaultIntervalMs,
): { close(): void } {
  let marks = paths.map(markNow).join();
  let looking = false;
  const look = async () => {
    const now = await Promise.all(paths.map((path) => stat(path).then(mark, () => gone)));
    looking = false;
    if (now.join() === marks) return;
    marks = now.join();
    if (!closed) changed();
  };
  let closed = false;
  const timer = setInterval(() => {
    // A look can take long when the files are on a network's disk.
    if (looking) return;
    looking = true;
    void look();
  }, intervalMs);
  timer.unref?.();
  return {
    close() {
      closed = true;
      clearInterval(timer);
    },
  };
}
