/**
 * A reader of history for watchers that start in the past or fell behind. Many share one: it goes forward from the
 * earliest, and each joins where its own events begin.
 */
import type { Revision } from "../../lib/ids.ts";
import type { Watcher } from "./watcher.ts";
import { WatcherIndex } from "./watcher-index.ts";

/** How many read at the same time. More would read the same history more often; fewer would make a watcher that is
 * a little behind wait for one that is far behind. */
const readersMax = 8;
/** A watcher joins a reader that is not more revisions behind it than this, even if it could have one of its own. */
const joinDistance = 1024;

export class CatchUp {
  /** Everything up to here is delivered to its watchers, or being delivered. */
  position: Revision;
  readonly index = new WatcherIndex();

  constructor(position: Revision) {
    this.position = position;
  }
}

export class CatchUps {
  #readers: CatchUp[] = [];
  /** Watchers that no reader could take: all were beyond them. */
  #waiting = new Set<Watcher>();
  /** Whose turn it is. */
  #turn = 0;

  get isEmpty(): boolean {
    return this.#readers.length === 0 && this.#waiting.size === 0;
  }

  /** Watchers. */
  get size(): number {
    return this.#readers.reduce((sum, reader) => sum + reader.index.size, this.#waiting.size);
  }

  /** The reader whose turn it is. Turns go around, so that a long way does not hold up the short ones. */
  next(): CatchUp | undefined {
    if (this.#readers.length === 0) return undefined;
    this.#turn = (this.#turn + 1) % this.#readers.length;
    return this.#readers[this.#turn];
  }

  /** Takes watchers, the earliest first, so that the others can join its reader. */
  addAll(watchers: Iterable<Watcher>): void {
    const sorted = [...watchers].sort((a, b) => a.minRevision - b.minRevision);
    for (const watcher of sorted) this.add(watcher);
  }

  add(watcher: Watcher): void {
    const wanted = watcher.minRevision - 1;
    let best: CatchUp | undefined;
    for (const reader of this.#readers) {
      if (reader.position <= wanted && (best === undefined || reader.position > best.position)) best = reader;
    }
    const near = best !== undefined && wanted - best.position <= joinDistance;
    if (!near && this.#readers.length < readersMax) {
      best = new CatchUp(wanted as Revision);
      this.#readers.push(best);
    }
    if (best === undefined) {
      watcher.state = "waiting";
      this.#waiting.add(watcher);
      return;
    }
    watcher.state = "catchingUp";
    best.index.add(watcher);
    watcher.reader = best;
  }

  /** The watcher leaves, for whatever reason. */
  remove(watcher: Watcher): void {
    const reader = this.#readers.find((one) => one === watcher.reader);
    if (reader === undefined) {
      this.#waiting.delete(watcher);
      return;
    }
    watcher.reader = undefined;
    reader.index.remove(watcher);
    if (reader.index.size === 0) this.#close(reader);
  }

  #close(reader: CatchUp): void {
    this.#readers = this.#readers.filter((other) => other !== reader);
    const waiting = this.#waiting;
    this.#waiting = new Set();
    this.addAll(waiting);
  }
}
