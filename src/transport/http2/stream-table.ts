import type { Http2Stream } from "./stream.ts";

/** A power of two: as many streams in a row as a busy client usually has open. */
const slotCount = 128;

/**
 * The open streams of a connection by number. Numbers are odd and grow, so the open ones mostly lie within a short
 * range: each has a slot of its own, and only one whose slot is taken (by a stream that lives long) goes to a map.
 * Every call comes, is looked up and goes; a map alone costs it several times as much.
 */
export class StreamTable {
  private readonly slots: (Http2Stream | undefined)[] = new Array(slotCount).fill(undefined);
  private readonly others = new Map<number, Http2Stream>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  get(id: number): Http2Stream | undefined {
    const stream = this.slots[(id >>> 1) & (slotCount - 1)];
    if (stream !== undefined && stream.id === id) return stream;
    return this.others.size > 0 ? this.others.get(id) : undefined;
  }

  /** The number must not be in the table yet. */
  add(stream: Http2Stream): void {
    const slot = (stream.id >>> 1) & (slotCount - 1);
    if (this.slots[slot] === undefined) this.slots[slot] = stream;
    else this.others.set(stream.id, stream);
    this.count++;
  }

  /** Returns whether the stream was there. */
  delete(stream: Http2Stream): boolean {
    const slot = (stream.id >>> 1) & (slotCount - 1);
    if (this.slots[slot] === stream) this.slots[slot] = undefined;
    else if (!this.others.delete(stream.id)) return false;
    this.count--;
    return true;
  }

  has(stream: Http2Stream): boolean {
    return this.get(stream.id) === stream;
  }

  *values(): Iterable<Http2Stream> {
    for (const stream of this.slots) {
      if (stream !== undefined) yield stream;
    }
    yield* this.others.values();
  }

  clear(): void {
    this.slots.fill(undefined);
    this.others.clear();
    this.count = 0;
  }
}
