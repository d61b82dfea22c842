/**
 * Assertions that stay on in production: a broken invariant must stop the member before it answers anybody.
 */

/** A broken invariant: a bug, or a disk that lost what it had promised to keep. Never caught and carried on from. */
export class AssertionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "AssertionError";
  }
}

/** Throws. On hot paths test the condition first, so that the message is only built when it is needed. */
export function fail(message: string): never {
  throw new AssertionError(message);
}

/** Throws unless `condition` holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
