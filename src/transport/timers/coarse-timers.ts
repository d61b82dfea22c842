/**
 * Timers for things that come by the hundred thousand and almost never fire: call deadlines, keepalives.
 *
 * Expiries are rounded up to a grain that grows with the delay, and all entries of one rounded instant share a
 * bucket; one timer of the runtime is armed for the earliest bucket. So arming and cancelling are constant time, and
 * when nothing is armed nothing ticks. An entry fires at most one grain late, never early.
 */
import { PatientTimer } from "../../lib/patient-timer.ts";

/** Delays below the limit (ms) are rounded up to the grain (ms). */
const grains: readonly (readonly [delayBelowMs: number, grainMs: number])[] = [
  [1_000, 8],
  [60_000, 128],
  [3_600_000, 1_024],
];
const coarsestGrainMs = 16_384;
/** Runtimes fire at once when a delay does not fit 31 bits; longer waits are made of several. */
const longestSleepMs = 2 ** 31 - 1;
/** Entries handled before the event loop gets a turn. */
const maxFiredPerTurn = 1_000;

/** The runtime's own clock and timer, replaced in tests. */
export interface TimerHost {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Arms a timer that does not keep the process alive; returns how to disarm it. */
  sleep(delayMs: number, wake: () => void): () => void;
}

export const runtimeTimerHost: TimerHost = {
  now: () => performance.now(),
  sleep(delayMs, wake) {
    const timer = new PatientTimer(delayMs, wake).unref();
    return () => timer.cancel();
  },
};

export interface TimerTarget {
  onTimer(): void;
}

class Bucket {
  readonly atMs: number;
  first: TimerEntry | undefined = undefined;
  constructor(atMs: number) {
    this.atMs = atMs;
  }
}

/** An armed timer. `cancel` may be called at any time, also after it fired. */
export class TimerEntry {
  private readonly owner: CoarseTimers;
  readonly target: TimerTarget;
  bucket: Bucket | undefined;
  previous: TimerEntry | undefined = undefined;
  next: TimerEntry | undefined = undefined;

  constructor(owner: CoarseTimers, target: TimerTarget, bucket: Bucket) {
    this.owner = owner;
    this.target = target;
    this.bucket = bucket;
    this.next = bucket.first;
    if (bucket.first) bucket.first.previous = this;
    bucket.first = this;
  }

  cancel(): void {
    if (this.bucket === undefined) return;
    this.unlink();
    this.owner.entryGone();
  }

  unlink(): void {
    if (this.previous) this.previous.next = this.next;
    else this.bucket!.first = this.next;
    if (this.next) this.next.previous = this.previous;
    this.bucket = undefined;
    this.previous = undefined;
    this.next = undefined;
  }
}

export class CoarseTimers {
  private readonly host: TimerHost;
  private readonly buckets = new Map<number, Bucket>();
  /** The instants of `buckets`, as a binary heap with the earliest first. */
  private readonly heap: number[] = [];
  private armed = 0;
  private disarm: (() => void) | undefined = undefined;
  private wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(host: TimerHost = runtimeTimerHost) {
    this.host = host;
  }

  now(): number {
    return this.host.now();
  }

  /** Entries that are armed now. */
  get size(): number {
    return this.armed;
  }

  /** Calls `target.onTimer()` once, `delayMs` from now or a little later. */
  arm(delayMs: number, target: TimerTarget): TimerEntry {
    const grain = grains.find(([below]) => delayMs < below)?.[1] ?? coarsestGrainMs;
    const atMs = Math.ceil((this.host.now() + delayMs) / grain) * grain;
    let bucket = this.buckets.get(atMs);
    if (bucket === undefined) {
      bucket = new Bucket(atMs);
      this.buckets.set(atMs, bucket);
      pushHeap(this.heap, atMs);
    }
    this.armed++;
    if (atMs < this.wakeAtMs) this.sleepUntil(atMs);
    return new TimerEntry(this, target, bucket);
  }

  /** For TimerEntry.cancel only. */
  entryGone(): void {
    this.armed--;
    // The runtime's timer stays until it fires: arming and disarming it for every lone call would cost more.
  }

  private sleepUntil(atMs: number): void {
    this.disarm?.();
    this.wakeAtMs = atMs;
    const delayMs = Math.min(Math.max(1, atMs - this.host.now()), longestSleepMs);
    this.disarm = this.host.sleep(delayMs, () => this.wake());
  }

  private wake(): void {
    this.disarm = undefined;
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    try {
      this.fireDue();
    } finally {
      // Buckets whose entries were all cancelled need no waking.
      while (this.heap.length > 0 && this.buckets.get(this.heap[0]!)!.first === undefined)
        this.dropEarliest();
      if (this.heap.length > 0 && this.heap[0]! < this.wakeAtMs) this.sleepUntil(this.heap[0]!);
    }
  }

  private fireDue(): void {
    const now = this.host.now();
    let fired = 0;
    while (this.heap.length > 0 && this.heap[0]! <= now) {
      const bucket = this.buckets.get(this.heap[0]!)!;
      for (let entry = bucket.first; entry; entry = bucket.first) {
        if (fired === maxFiredPerTurn) return;
        entry.unlink();
        this.armed--;
        fired++;
        entry.target.onTimer();
      }
      this.dropEarliest();
    }
  }

  private dropEarliest(): void {
    this.buckets.delete(popHeap(this.heap));
  }
}

function pushHeap(heap: number[], value: number): void {
  let at = heap.push(value) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]! <= value) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = value;
}

function popHeap(heap: number[]): number {
  const top = heap[0]!;
  const last = heap.pop()!;
  if (heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= last) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return top;
}
