/**
 * Simulated time: what is to happen, in the order of when.
 */
export class EventQueue {
  /** Milliseconds since the beginning. */
  now = 0;
  #sequence = 0;
  /** A binary heap by time, and among equals by order of scheduling. */
  readonly #heap: { at: number; sequence: number; run: () => void }[] = [];

  /** Runs `run` after `delayMs`. */
  after(delayMs: number, run: () => void): void {
    const event = { at: this.now + delayMs, sequence: this.#sequence++, run };
    let at = this.#heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Runs everything up to `until`. */
  runUntil(until: number): void {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > until) break;
      this.#removeFirst();
      this.now = first.at;
      first.run();
    }
    this.now = until;
  }

  #removeFirst(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    let at = 0;
    for (;;) {
      const left = at * 2 + 1;
      let least = at;
      if (left < this.#heap.length && this.#before(left, least)) least = left;
      if (left + 1 < this.#heap.length && this.#before(left + 1, least)) least = left + 1;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #before(a: number, b: number): boolean {
    const left = this.#heap[a]!;
    const right = this.#heap[b]!;
    return left.at < right.at || (left.at === right.at && left.sequence < right.sequence);
  }

  #swap(a: number, b: number): void {
    const event = this.#heap[a]!;
    this.#heap[a] = this.#heap[b]!;
    this.#heap[b] = event;
  }
}
