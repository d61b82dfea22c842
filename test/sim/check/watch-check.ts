/** What one watcher is sent: all events of its range, each once, in order, and none left out, over any number of streams. */
import type { WatchResponse } from "../../../src/gen/etcdserverpb/rpc_pb.ts";
import { Event_EventType } from "../../../src/gen/mvccpb/kv_pb.ts";
import { toBinaryKey } from "../../../src/lib/binary-key.ts";
import type { Truth, TruthEvent } from "./truth.ts";
import { Violation } from "./violation.ts";

export interface WatchedRange {
  readonly from: string;
  readonly to: string;
}

export class WatchCheck {
  readonly #truth: Truth;
  readonly #name: string;
  readonly range: WatchedRange;
  /** The first revision that it has not seen all of. */
  next: number;
  /** Events of `next` that it has seen. */
  #seenOfNext = 0;
  events = 0;
  compactions = 0;

  constructor(truth: Truth, name: string, range: WatchedRange, next: number) {
    this.#truth = truth;
    this.#name = name;
    this.range = range;
    this.next = next;
  }

  /** Another stream begins at `next`. */
  reconnected(): void {
    this.#seenOfNext = 0;
  }

  received(response: WatchResponse): void {
    const revision = Number(response.header?.revision ?? 0n);
    if (response.canceled) {
      this.#canceled(response);
      return;
    }
    for (const event of response.events) {
      const kv = event.kv!;
      const isPut = event.type === Event_EventType.PUT;
      this.#take({
        key: toBinaryKey(kv.key),
        revision: Number(kv.modRevision),
        value: isPut ? toBinaryKey(kv.value) : undefined,
        version: Number(kv.version),
      });
    }
    // Whoever has an answer has seen everything up to its revision, but for one that was only created or is not whole.
    if (!response.created && !response.fragment) this.#seenUpTo(revision);
  }

  #take(event: { key: string; revision: number; value: string | undefined; version: number }): void {
    this.events++;
    if (event.revision < this.next) {
      this.#fail(
        "ordered and unique",
        `got an event of revision ${event.revision}, and had seen up to ${this.next - 1}`,
      );
    }
    if (event.revision > this.next) this.#seenUpTo(event.revision - 1);
    const wanted = this.#wantedAt(event.revision)[this.#seenOfNext];
    const same =
      wanted !== undefined &&
      wanted.key === event.key &&
      wanted.now?.value === event.value &&
      (wanted.now?.version ?? 0) === event.version;
    if (!same) this.#fail("true", `got another event than the one of revision ${event.revision}`);
    this.#seenOfNext++;
  }

  #seenUpTo(revision: number): void {
    if (revision > this.#truth.revision)
      this.#fail("true", `was told of revision ${revision}, which nobody committed`);
    while (this.next <= revision) {
      if (this.#wantedAt(this.next).length !== this.#seenOfNext) {
        this.#fail("complete", `has not got all events of revision ${this.next}, and is at ${revision}`);
      }
      this.next++;
      this.#seenOfNext = 0;
    }
  }

  #canceled({ compactRevision, cancelReason }: WatchResponse): void {
    const compacted = Number(compactRevision);
    if (compacted === 0) this.#fail("alive", `was cancelled: ${cancelReason}`);
    if (compacted > this.#truth.compactRevision || compacted < this.next) {
      this.#fail("complete", `was told that revision ${this.next} is compacted (${compacted})`);
    }
    this.compactions++;
    this.next = compacted;
    this.#seenOfNext = 0;
  }

  #wantedAt(revision: number): TruthEvent[] {
    const { from, to } = this.range;
    return (this.#truth.events[revision] ?? []).filter(({ key }) => key >= from && key < to);
  }

  /** True when nothing that was committed is missing. */
  get isComplete(): boolean {
    for (let revision = this.next; revision <= this.#truth.revision; revision++) {
      if (this.#wantedAt(revision).length > this.#seenOfNext) return false;
    }
    return true;
  }

  #fail(promise: string, what: string): never {
    throw new Violation(`watches are ${promise}`, `${this.#name} ${what}`);
  }
}
