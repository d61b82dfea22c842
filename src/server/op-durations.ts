/** How long requests took, by etcd's names of their kinds and by whether they succeeded. */
import { raftField } from "../codec/raft-internal.ts";
import type { Histogram } from "../lib/metrics.ts";

/** By field of InternalRaftRequest: "Put", "LeaseGrant" and so on. */
const opNames: ReadonlyMap<number, string> = new Map(
  Object.entries(raftField).map(([name, field]) => [field, name[0]!.toUpperCase() + name.slice(1)]),
);

export const opName = (field: number): string => opNames.get(field) ?? "unknown";

/** A histogram for each kind, made when there is something to put into it. */
export class OpDurations {
  readonly #make: (op: string, success: boolean) => Histogram;
  readonly #ok = new Map<number, Histogram>();
  readonly #failed = new Map<number, Histogram>();
  /** What was last asked for, which is mostly what is asked for next. */
  #lastField = -1;
  #lastOk: Histogram | undefined;

  constructor(make: (op: string, success: boolean) => Histogram) {
    this.#make = make;
  }

  of(field: number, success: boolean): Histogram {
    if (success && field === this.#lastField && this.#lastOk !== undefined) return this.#lastOk;
    const histogram = this.#find(field, success);
    if (success) {
      this.#lastField = field;
      this.#lastOk = histogram;
    }
    return histogram;
  }

  #find(field: number, success: boolean): Histogram {
    const known = success ? this.#ok : this.#failed;
    let histogram = known.get(field);
    if (!histogram) {
      histogram = this.#make(opName(field), success);
      known.set(field, histogram);
    }
    return histogram;
  }
}
