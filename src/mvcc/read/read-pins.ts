/**
 * Which revisions are being read right now by work that goes on over several steps. The backend must not remove
 * versions that such a read still needs.
 */
import { errors } from "../../errors/table.ts";
import type { Revision } from "../../lib/ids.ts";

/** Held by one read from its first step to its last. */
export interface ReadPin {
  /** The highest revision that the backend may be compacted at (physically) while the pin is held. */
  revision: Revision;
  expired: boolean;
  /** Whoever holds it moves on by itself, and cannot be made to fail. */
  readonly permanent: boolean;
}

export class ReadPins {
  readonly #pins = new Set<ReadPin>();

  hold(revision: Revision, permanent = false): ReadPin {
    const pin = { revision, expired: false, permanent };
    this.#pins.add(pin);
    return pin;
  }

  release(pin: ReadPin): void {
    this.#pins.delete(pin);
  }

  /** Undefined when nothing is held. */
  get oldest(): Revision | undefined {
    let oldest: Revision | undefined;
    for (const { revision } of this.#pins) {
      if (oldest === undefined || revision < oldest) oldest = revision;
    }
    return oldest;
  }

  /** Gives up on all reads: the store is about to be closed. */
  expireAll(): void {
    this.expire(Number.POSITIVE_INFINITY as Revision);
  }

  /** Gives up on reads before `revision`: each fails with ErrCompacted at its next step. */
  expire(before: Revision): void {
    for (const pin of this.#pins) {
      if (pin.permanent || pin.revision >= before) continue;
      pin.expired = true;
      this.#pins.delete(pin);
    }
  }
}

/** To be called after each pause of a read, before it touches the backend again. */
export function assertNotExpired(pin: ReadPin): void {
  if (pin.expired) throw errors.compacted();
}

/** Runs a read from beginning to end with `revision` held, whichever way it ends. */
export function* whilePinned<Y, T>(
  pins: ReadPins,
  revision: Revision,
  steps: Generator<Y, T, undefined>,
): Generator<Y, T, undefined> {
  let step = steps.next();
  // Most reads are done in one step and then have nothing to hold.
  if (step.done) return step.value;
  const pin = pins.hold(revision);
  try {
    while (!step.done) {
      yield step.value;
      assertNotExpired(pin);
      step = steps.next();
    }
    return step.value;
  } finally {
    pins.release(pin);
  }
}
