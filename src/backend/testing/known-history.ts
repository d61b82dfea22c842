/**
 * A history that can be made again from its seed, a generation at a time: so that a store found on disk can be compared
 * with what it should hold, however far it got.
 */
import { Prng } from "../../lib/prng.ts";
import type { Generation } from "../backend.ts";
import { type Change, HistoryMaker } from "./history-maker.ts";
import { NaiveModel } from "./naive-model.ts";

export interface KnownHistoryOptions {
  readonly seed: number;
  readonly keys: number;
  /** Transactions in a generation: up to so many. */
  readonly transactionsMax: number;
  /** How often a generation also compacts, from 0 to 1. */
  readonly compactions: number;
}

export class KnownHistory {
  readonly #random: Prng;
  readonly #options: KnownHistoryOptions;
  readonly #maker = new HistoryMaker();

  constructor(options: KnownHistoryOptions) {
    this.#options = options;
    this.#random = new Prng(options.seed);
  }

  get appliedIndex(): number {
    return this.#maker.appliedIndex;
  }

  next(): Generation {
    const { keys, transactionsMax, compactions } = this.#options;
    const maker = this.#maker;
    const random = this.#random;
    for (let i = 1 + random.below(transactionsMax); i > 0; i--) {
      const changes = new Map<string, Change>();
      for (let j = 1 + random.below(3); j > 0; j--) {
        const key = `/registry/things/${random.below(keys)}`;
        const lease = random.chance(0.2) ? BigInt(1 + random.below(3)) : 0n;
        const value = "value ".repeat(random.below(random.chance(0.02) ? 1000 : 20));
        changes.set(key, random.chance(0.15) ? { delete: key } : { put: key, value, lease });
      }
      maker.transaction(...changes.values());
    }
    if (random.chance(0.3)) maker.meta("lease", `lease ${random.below(9)}`, `granted at ${maker.revision}`);
    if (random.chance(compactions)) {
      const { compactRevision, revision } = maker;
      maker.compactTo(compactRevision + random.below(revision - compactRevision + 1));
    }
    return maker.generation();
  }

  /** Goes on until a store that has applied so much could have been written; undefined if that is between two
   * generations. */
  modelAt(appliedIndex: number): NaiveModel | undefined {
    const model = new NaiveModel();
    while (this.#maker.appliedIndex < appliedIndex) model.write(this.next());
    return this.#maker.appliedIndex === appliedIndex ? model : undefined;
  }
}
