/**
 * What the answers of one connection take up until its client has read them: those that are on their way to the socket, and
 * those that are being read from the store. When that is too much, whoever would add to it waits here.
 *
 * One large answer at a time is not counted against the connection: a range may be as large as it wants. Small answers go
 * past large ones, for which only half of the room is there.
 */

/** Something that waits to be sent. */
export interface PendingAnswer {
  /** Octets that are left; 0 when it is gone, whichever way. */
  readonly pendingBytes: number;
}

/** Who waits to begin. */
interface Waiter {
  readonly requestBytes: number;
  readonly run: () => void;
}

/** What a room needs of the memory that it is a part of. */
export interface RoomOwner {
  readonly limits: { readonly connectionBytes: number; readonly largeBytes: number };
  /** Whether a room that keeps so many bytes may keep more; `reading` is who asks, if it is one. */
  hasRoom(heldBytes: number, reading: Reading | undefined): boolean;
  changed(room: AnswerRoom, bytes: number): void;
  /** Somebody in `room` waits. */
  waits(room: AnswerRoom): void;
}

export class AnswerRoom {
  /** Waits to be sent, large answers included. */
  pendingBytes = 0;
  /** Was read, and is not on its way yet. */
  gatheredBytes = 0;
  /** Octets that have left, or will not: it only grows. */
  goneBytes = 0;
  /** As `goneBytes` was when its owner last looked. */
  goneBytesSeen = 0;
  /** Resets what its client does not read. Set by whoever sends. */
  shed: () => void = () => {};
  readonly #owner: RoomOwner;
  /** Those under way, the oldest first. */
  readonly #readings = new Set<Reading>();
  /** Those who wait to begin, in order. */
  readonly #entrance = new Set<Waiter>();
  /** Of the requests that wait. */
  #requestBytes = 0;
  #large: PendingAnswer[] = [];

  constructor(owner: RoomOwner) {
    this.#owner = owner;
  }

  get heldBytes(): number {
    return this.pendingBytes + this.gatheredBytes;
  }

  /** Those who wait: to begin, or to go on. */
  get waitingCalls(): number {
    let count = this.#entrance.size;
    for (const { isParked } of this.#readings) if (isParked) count++;
    return count;
  }

  /** Whether who comes now has to wait: there is no room, or others wait already. */
  get isCrowded(): boolean {
    return this.#entrance.size > 0 || !this.#fits(undefined);
  }

  /** So many bytes more (or less) wait to be sent. */
  changePending(bytes: number): void {
    this.pendingBytes += bytes;
    if (bytes < 0) this.goneBytes -= bytes;
    this.#owner.changed(this, bytes);
  }

  changeGathered(bytes: number): void {
    this.gatheredBytes += bytes;
    this.#owner.changed(this, bytes);
  }

  /** An answer on its way that need not be counted, if it is the largest. */
  addLarge(answer: PendingAnswer): void {
    this.#large.push(answer);
  }

  /** A read begins. It has to `end`. */
  begin(): Reading {
    const reading = new Reading(this);
    this.#readings.add(reading);
    return reading;
  }

  /**
   * Runs `run`, for a request of so many bytes, when it is its turn and there is room. What it returns takes it out of the
   * line. Undefined if those in the line keep too much already.
   */
  waitFor(requestBytes: number, run: () => void): (() => void) | undefined {
    if (this.#requestBytes + requestBytes > this.#owner.limits.connectionBytes) return undefined;
    const waiter = { requestBytes, run };
    this.#requestBytes += requestBytes;
    this.#entrance.add(waiter);
    this.#owner.waits(this);
    return () => this.#leave(waiter);
  }

  #leave(waiter: Waiter): void {
    if (this.#entrance.delete(waiter)) this.#requestBytes -= waiter.requestBytes;
  }

  /** Lets those go on for whom there is room, until `isLate` says that it has to be enough for now. */
  serve(isLate: () => boolean): void {
    for (const reading of this.#readings) {
      if (reading.isParked && this.mayGoOn(reading)) reading.resume();
      if (isLate()) return;
    }
    for (const waiter of this.#entrance) {
      if (!this.#fits(undefined)) return;
      this.#leave(waiter);
      waiter.run();
      if (isLate()) return;
    }
  }

  mayGoOn(reading: Reading): boolean {
    return this.#fits(reading);
  }

  parked(): void {
    this.#owner.waits(this);
  }

  ended(reading: Reading): void {
    this.#readings.delete(reading);
    this.changeGathered(-reading.bytes);
  }

  /** Whether the connection would let the oldest read that waits here go on. */
  get firstParked(): Reading | undefined {
    for (const reading of this.#readings) {
      if (reading.isParked) return this.#connectionFits(reading) ? reading : undefined;
    }
    return undefined;
  }

  #fits(reading: Reading | undefined): boolean {
    if (!this.#connectionFits(reading)) return false;
    const isLarge = reading !== undefined && reading.bytes > this.#owner.limits.largeBytes;
    return this.#owner.hasRoom(isLarge ? this.heldBytes : this.#countedBytes, reading);
  }

  #connectionFits(reading: Reading | undefined): boolean {
    const { connectionBytes, largeBytes } = this.#owner.limits;
    const isLarge = reading !== undefined && reading.bytes > largeBytes;
    const limit = isLarge ? connectionBytes / 2 : connectionBytes;
    if (this.heldBytes <= limit || this.#countedBytes <= limit) return true;
    // Without a large one on its way the oldest that is being read takes its place.
    return reading !== undefined && reading === this.#exemptReading && this.pendingBytes <= connectionBytes;
  }

  /** Without the one large answer. */
  get #countedBytes(): number {
    return this.heldBytes - (this.#exemptReading?.bytes ?? this.#largestPending());
  }

  /** The read that takes the place of a large answer. */
  get #exemptReading(): Reading | undefined {
    return this.#largestPending() > 0 ? undefined : this.#oldest;
  }

  get #oldest(): Reading | undefined {
    for (const reading of this.#readings) return reading;
    return undefined;
  }

  #largestPending(): number {
    if (this.#large.length === 0) return 0;
    this.#large = this.#large.filter(({ pendingBytes }) => pendingBytes > 0);
    return this.#large.reduce((most, { pendingBytes }) => Math.max(most, pendingBytes), 0);
  }
}

/** One read under way, whose answer grows. */
export class Reading {
  readonly room: AnswerRoom;
  bytes = 0;
  isOver = false;
  #resume: (() => void) | undefined;

  constructor(room: AnswerRoom) {
    this.room = room;
  }

  get isParked(): boolean {
    return this.#resume !== undefined;
  }

  add(bytes: number): void {
    if (this.isOver) return;
    this.bytes += bytes;
    this.room.changeGathered(bytes);
  }

  mayGoOn(): boolean {
    return this.isOver || this.room.mayGoOn(this);
  }

  /** Calls `resume` once there is room, or this is over. */
  wait(resume: () => void): void {
    this.#resume = resume;
    this.room.parked();
  }

  resume(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  /** It is on its way to the socket, or nobody wants it. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.room.ended(this);
    this.resume();
  }
}
