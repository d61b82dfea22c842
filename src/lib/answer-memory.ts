/**
 * What all answers together take up until they are read. Clients that read never notice it. Past the limit a connection
 * that keeps less than its share goes on, one large answer at a time is made, and what is not being read is given up.
 */
import { AnswerRoom, type Reading, type RoomOwner } from "./answer-room.ts";
import type { Clock } from "./clock.ts";

const MiB = 1024 * 1024;

export interface AnswerLimits {
  /** Of one connection, besides its largest answer. */
  readonly connectionBytes: number;
  /** Of all connections. */
  readonly serverBytes: number;
  /** What is larger is a large answer. */
  readonly largeBytes: number;
  /** When others wait for room, a connection has to take an eighth of what waits for it in this time. */
  readonly patienceMs: number;
}

export const defaultAnswerLimits: AnswerLimits = {
  connectionBytes: 16 * MiB,
  serverBytes: 256 * MiB,
  largeBytes: 1 * MiB,
  patienceMs: 10_000,
};

/** How long those who have waited are let in at a time. */
const serveMs = 2;
/** What a connection has to take in `patienceMs`, of what waits for it. */
const leastTaken = 1 / 8;

export class AnswerMemory implements RoomOwner {
  readonly limits: AnswerLimits;
  usedBytes = 0;
  readonly #clock: Pick<Clock, "monotonicMs" | "nextTurn" | "after">;
  /** Those that keep something. */
  readonly #rooms = new Set<AnswerRoom>();
  /** Those in which somebody waits; the first is served first. */
  readonly #waiting = new Set<AnswerRoom>();
  /** Of these, those in which there may be room. */
  #ready = new Set<AnswerRoom>();
  #isScheduled = false;
  /** The one read that goes on although too much is kept. */
  #exempt: Reading | undefined;
  #isLooking = false;

  constructor(clock: Pick<Clock, "monotonicMs" | "nextTurn" | "after">, limits: Partial<AnswerLimits> = {}) {
    this.#clock = clock;
    this.limits = { ...defaultAnswerLimits, ...limits };
  }

  /** Those who wait for room. */
  get waitingCalls(): number {
    let count = 0;
    for (const room of this.#waiting) count += room.waitingCalls;
    return count;
  }

  open(): AnswerRoom {
    return new AnswerRoom(this);
  }

  hasRoom(heldBytes: number, reading: Reading | undefined): boolean {
    if (this.usedBytes <= this.limits.serverBytes) return true;
    if (heldBytes <= this.#share) return true;
    return reading !== undefined && reading === this.#exempt;
  }

  changed(room: AnswerRoom, bytes: number): void {
    const before = this.usedBytes;
    this.usedBytes += bytes;
    if (room.heldBytes > 0) this.#rooms.add(room);
    else this.#rooms.delete(room);
    if (bytes >= 0 || this.#waiting.size === 0) return;
    const { serverBytes } = this.limits;
    if (before > serverBytes && this.usedBytes <= serverBytes) this.#serveLater(this.#waiting);
    else if (this.#waiting.has(room)) this.#serveLater([room]);
    else if (room === this.#exempt?.room) this.#serveLater([]);
  }

  waits(room: AnswerRoom): void {
    this.#waiting.add(room);
    // Room may be there again when all that is to be said in this turn was said.
    this.#serveLater([room]);
    this.#lookLater();
  }

  /** What a connection may keep when all together keep too much. */
  get #share(): number {
    return this.limits.serverBytes / Math.max(1, this.#rooms.size);
  }

  #serveLater(rooms: Iterable<AnswerRoom>): void {
    for (const room of rooms) this.#ready.add(room);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.nextTurn(() => this.#serve());
  }

  #serve(): void {
    this.#isScheduled = false;
    const endMs = this.#clock.monotonicMs() + serveMs;
    const isLate = () => this.#clock.monotonicMs() >= endMs;
    this.#chooseExempt();
    const ready = this.#ready;
    this.#ready = new Set();
    for (const room of ready) {
      if (isLate()) {
        this.#serveLater([room]);
        continue;
      }
      room.serve(isLate);
      this.#waiting.delete(room);
      if (room.waitingCalls === 0) continue;
      this.#waiting.add(room);
      if (isLate()) this.#serveLater([room]);
    }
  }

  #chooseExempt(): void {
    const { usedBytes, limits } = this;
    if (usedBytes <= limits.serverBytes) {
      this.#exempt = undefined;
      return;
    }
    const { room, isOver } = this.#exempt ?? {};
    if (room !== undefined && (isOver !== true || room.pendingBytes > this.#share)) return;
    this.#exempt = undefined;
    for (const waiting of this.#waiting) {
      const first = waiting.firstParked;
      if (first === undefined) continue;
      this.#exempt = first;
      this.#ready.add(waiting);
      return;
    }
  }

  // ---- those who do not read ----

  #lookLater(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    for (const room of this.#rooms) room.goneBytesSeen = room.goneBytes;
    this.#clock.after(this.limits.patienceMs, () => {
      this.#isLooking = false;
      this.#look();
      if (this.#waiting.size > 0) this.#lookLater();
    });
  }

  #look(): void {
    if (this.usedBytes <= this.limits.serverBytes) return;
    const idle = [...this.#rooms].filter(
      ({ pendingBytes, goneBytes, goneBytesSeen }) =>
        pendingBytes > this.#share && goneBytes - goneBytesSeen < pendingBytes * leastTaken,
    );
    idle.sort((a, b) => b.pendingBytes - a.pendingBytes);
    for (const room of idle) {
      if (this.usedBytes <= this.limits.serverBytes) break;
      room.shed();
    }
    this.#serveLater(this.#waiting);
  }
}
