/**
 * Long work in small pieces, without a clock or a promise.
 *
 * Pure code that may have to touch many keys is written as a generator that yields every few hundred rows. Who
 * drives it decides when to give the event loop back: the server by looking at a clock, the simulation by its seed.
 * A caller that knows the work is small runs it to its end with `finish`.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Runs `steps` to the end at once. For tests and for work known to be short. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
  }
}
