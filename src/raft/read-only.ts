/**
 * Reads that wait for the proof that their leader still leads (dissertation 6.4): each was given the commit index of
 * its moment, and is answered once a quorum has answered a heartbeat sent after it. Reads are numbered in order; a
 * heartbeat carries the number of the newest one, and its echo confirms all up to that number.
 */
import type { MemberId, RaftIndex } from "../lib/ids.ts";

export interface PendingRead {
  /** Who asked: this member or a follower that passed it on. */
  readonly from: MemberId;
  /** The asker's mark, given back with the answer. */
  readonly context: Uint8Array;
  readonly index: RaftIndex;
}

export class ReadOnly {
  #unconfirmed: PendingRead[] = [];
  #confirmedCount = 0;
  readonly #acks = new Map<MemberId, number>();

  get pending(): number {
    return this.#unconfirmed.length;
  }

  /** The number of the newest read, which a heartbeat sent now would confirm. 0 with nothing to confirm. */
  get newest(): number {
    return this.#unconfirmed.length === 0 ? 0 : this.#confirmedCount + this.#unconfirmed.length;
  }

  add(read: PendingRead): void {
    this.#unconfirmed.push(read);
  }

  /** `id` has answered a heartbeat that carried `newest`. */
  acknowledge(id: MemberId, newest: number): void {
    if (newest > (this.#acks.get(id) ?? 0)) this.#acks.set(id, newest);
  }

  ackOf(id: MemberId): number {
    return this.#acks.get(id) ?? 0;
  }

  /** Takes the reads up to number `confirmed`. */
  take(confirmed: number): PendingRead[] {
    const count = Math.min(confirmed - this.#confirmedCount, this.#unconfirmed.length);
    if (count <= 0) return [];
    this.#confirmedCount += count;
    return this.#unconfirmed.splice(0, count);
  }
}
