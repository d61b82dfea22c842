/** Simulated time: what is to happen, in order. Two things of the same moment happen in the order in which they were put in. */

interface Event {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

export interface ScheduledEvent {
  cancel(): void;
}

export class Events {
  /** A binary heap. */
  readonly #heap: Event[] = [];
  #order = 0;
  #nowMs = 0;
  #count = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many events have happened. */
  get count(): number {
    return this.#count;
  }

  after(delayMs: number, run: () => void): ScheduledEvent {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#push(event);
    return {
      cancel() {
        event.run = undefined;
      },
    };
  }

  /** Lets everything happen that is due until then. Promises settle after each event. */
  async runUntil(endMs: number): Promise<void> {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#pop();
      if (next.run === undefined) continue;
      this.#nowMs = next.atMs;
      this.#count++;
      next.run();
      // A real turn of the event loop: by then all promises that could go on have gone on.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(event, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
