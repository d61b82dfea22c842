/**
 * Holds what clients are told against the truth: every write that was acknowledged is in the log, every read shows the
 * key space as it was at the revision in its header, and revisions never go back for those who ask one after the other.
 */

import type { KeyValue } from "../../../src/gen/mvccpb/kv_pb.ts";
import { toBinaryKey } from "../../../src/lib/binary-key.ts";
import type { Truth, TruthKey } from "./truth.ts";
import { Violation } from "./violation.ts";

export class AnswersCheck {
  readonly #truth: Truth;
  /** The newest revision that any client was told of. */
  #newest = 1;
  checked = 0;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  /** To be asked for when a call begins. */
  get floor(): number {
    return this.#newest;
  }

  /** A linearizable call has ended: `floor` is from when it began. */
  ended(what: string, revision: number, floor: number): void {
    this.checked++;
    if (revision < floor) {
      throw new Violation(
        "linearizable",
        `${what} was answered at revision ${revision} after ${floor} was seen`,
      );
    }
    this.#known(what, revision);
    this.#newest = Math.max(this.#newest, revision);
  }

  #known(what: string, revision: number): void {
    if (revision > this.#truth.revision) {
      throw new Violation("durable", `${what} was answered at revision ${revision}, which nobody committed`);
    }
  }

  /** A write was acknowledged: it has to be in the log, at the revision it was given. */
  acknowledged(what: string, revision: number, changes: readonly { key: string; value?: string }[]): void {
    this.#known(what, revision);
    const events = this.#truth.events[revision] ?? [];
    const same = (key: string, value: string | undefined) =>
      events.some((event) => event.key === key && event.now?.value === value);
    for (const { key, value } of changes) {
      if (!same(key, value)) throw new Violation("durable", `${what} is not in revision ${revision}`);
    }
  }

  /** A read of one key. */
  read(what: string, key: string, revision: number, kv: KeyValue | undefined): void {
    this.checked++;
    this.#known(what, revision);
    if (!isSame(this.#truth.keyAt(key, revision), kv)) {
      throw new Violation("reads", `${what} is not as it was at revision ${revision}`);
    }
  }

  /** A read of a range. */
  readRange(what: string, from: string, to: string, revision: number, kvs: readonly KeyValue[]): void {
    this.checked++;
    this.#known(what, revision);
    const state = [...this.#truth.stateAt(revision)].filter(([key]) => key >= from && key < to);
    const found = new Map(kvs.map((kv) => [toBinaryKey(kv.key), kv]));
    if (found.size === state.length && state.every(([key, known]) => isSame(known, found.get(key)))) return;
    throw new Violation("reads", `${what} is not as it was at revision ${revision}`);
  }
}

function isSame(known: TruthKey | undefined, kv: KeyValue | undefined): boolean {
  if (known === undefined || kv === undefined) return known === undefined && kv === undefined;
  return (
    known.value === toBinaryKey(kv.value) &&
    known.version === Number(kv.version) &&
    known.modRevision === Number(kv.modRevision) &&
    known.createRevision === Number(kv.createRevision) &&
    known.lease === kv.lease
  );
}
