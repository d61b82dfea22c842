/** How long a test waits for a condition, also on a machine that does other things. */
const patienceMs = 60_000;

/** Waits, a turn of the event loop at a time, until `condition` holds. Rejects when it takes too long. */
export async function waitFor(what: string, condition: () => boolean): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
