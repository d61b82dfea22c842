import type { RequestHead } from "./request-head.ts";

interface Slot {
  readonly bytes: Uint8Array;
  readonly generation: number;
  readonly head: RequestHead;
}

/**
 * Header blocks that a connection has seen, with what they mean. A client says the same thing over and over; a block
 * that neither changed the dynamic table when it was decoded nor met a changed one since means the same again.
 *
 * Direct-mapped by a hash of the octets, with the latest hit looked at first.
 */
export class BlockCache {
  private readonly slots: (Slot | undefined)[];
  private readonly maxBlockBytes: number;
  private latest: Slot | undefined = undefined;

  /** `slots` must be a power of two. */
  constructor(options: { readonly slots: number; readonly maxBlockBytes: number }) {
    this.slots = new Array<Slot | undefined>(options.slots).fill(undefined);
    this.maxBlockBytes = options.maxBlockBytes;
  }

  find(block: Uint8Array, start: number, end: number, generation: number): RequestHead | undefined {
    const { latest } = this;
    if (latest !== undefined && latest.generation === generation && isSame(latest.bytes, block, start, end)) {
      return latest.head;
    }
    if (end - start > this.maxBlockBytes) return undefined;
    const slot = this.slots[this.slotOf(block, start, end)];
    if (slot === undefined || slot.generation !== generation || !isSame(slot.bytes, block, start, end)) {
      return undefined;
    }
    this.latest = slot;
    return slot.head;
  }

  /** Remembers a block that left the table as it was, at `generation`. */
  keep(block: Uint8Array, start: number, end: number, generation: number, head: RequestHead): void {
    if (end - start > this.maxBlockBytes) return;
    // A copy: a view would keep the whole socket chunk alive.
    const slot: Slot = { bytes: new Uint8Array(block.subarray(start, end)), generation, head };
    this.slots[this.slotOf(block, start, end)] = slot;
    this.latest = slot;
  }

  private slotOf(block: Uint8Array, start: number, end: number): number {
    let hash = end - start;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + block[at]!) | 0;
    return (hash ^ (hash >>> 15)) & (this.slots.length - 1);
  }
}

function isSame(known: Uint8Array, block: Uint8Array, start: number, end: number): boolean {
  const length = known.length;
  if (end - start !== length) return false;
  for (let at = 0; at < length; at++) {
    if (known[at] !== block[start + at]) return false;
  }
  return true;
}
