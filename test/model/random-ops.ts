/** Random requests over few keys, so that they meet. */
import type {
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from "../../src/codec/kv.ts";
import type { LeaseId } from "../../src/lib/ids.ts";
import { noLease } from "../../src/lib/ids.ts";
import type { Random } from "../support/random.ts";

export type Op =
  | { readonly kind: "range"; readonly request: RangeRequest }
  | { readonly kind: "put"; readonly request: PutRequest }
  | { readonly kind: "deleteRange"; readonly request: DeleteRangeRequest }
  | { readonly kind: "txn"; readonly request: TxnRequest }
  | { readonly kind: "compact"; readonly revision: number }
  | { readonly kind: "grant"; readonly lease: LeaseId }
  | { readonly kind: "revoke"; readonly lease: LeaseId };

/** What the generator wants to know about where the history stands. */
export interface Standing {
  readonly revision: number;
  readonly compactRevision: number;
  readonly leases: ReadonlySet<LeaseId>;
}

const names = ["a", "a\0", "aa", "ab", "b", "b/1", "b/2", "b/3", "c", "d", "\0", "\xff", "\xff\xff", "zz"];
const noBytes = new Uint8Array(0);

export class RandomOps {
  readonly #random: Random;
  #nextLease = 1;

  constructor(random: Random) {
    this.#random = random;
  }

  next(standing: Standing): Op {
    const random = this.#random;
    const dice = random.below(100);
    if (dice < 34) return { kind: "put", request: this.put(standing) };
    if (dice < 44) return { kind: "deleteRange", request: this.delete() };
    if (dice < 64) return { kind: "txn", request: this.txn(standing) };
    if (dice < 93) return { kind: "range", request: this.range(standing) };
    if (dice < 95) return { kind: "compact", revision: this.#revision(standing) };
    if (dice < 98 || standing.leases.size === 0) {
      const lease = random.chance(0.1)
        ? 0x7fff_ffff_ffff_0000n + BigInt(random.below(1000))
        : this.#nextLease++;
      return { kind: "grant", lease: BigInt(lease) as LeaseId };
    }
    return { kind: "revoke", lease: random.pick([...standing.leases]) };
  }

  key(): Uint8Array {
    return bytes(this.#random.pick(names));
  }

  /** One key, a proper range, an empty one, or one to the end. */
  rangeEnd(key: Uint8Array, single = 0.4): Uint8Array {
    const random = this.#random;
    if (random.chance(single)) return noBytes;
    if (random.chance(0.25)) return Uint8Array.of(0);
    if (random.chance(0.3) && key.at(-1)! < 0xff) {
      const prefixEnd = key.slice();
      prefixEnd[prefixEnd.length - 1]!++;
      return prefixEnd;
    }
    return this.key();
  }

  put(standing: Standing): PutRequest {
    const random = this.#random;
    const ignoreValue = random.chance(0.1);
    const ignoreLease = random.chance(0.1);
    return {
      key: this.key(),
      value: ignoreValue ? noBytes : bytes(random.pick(["", "v", "w", "x".repeat(random.below(300))])),
      lease: ignoreLease || random.chance(0.6) ? noLease : this.#lease(standing),
      prevKv: random.chance(0.3),
      ignoreValue,
      ignoreLease,
    };
  }

  delete(): DeleteRangeRequest {
    const key = this.key();
    return { key, rangeEnd: this.rangeEnd(key, 0.7), prevKv: this.#random.chance(0.4) };
  }

  range(standing: Standing): RangeRequest {
    const random = this.#random;
    const key = this.key();
    const filter = () => (random.chance(0.12) ? random.between(-1, standing.revision + 2) : 0);
    return {
      key,
      rangeEnd: this.rangeEnd(key, 0.15),
      limit: random.chance(0.5) ? 0 : random.between(-1, 6),
      revision: random.chance(0.5) ? 0 : this.#revision(standing),
      sortOrder: random.chance(0.4) ? 0 : random.below(3),
      sortTarget: random.chance(0.4) ? 0 : random.below(5),
      serializable: random.chance(0.3),
      keysOnly: random.chance(0.2),
      countOnly: random.chance(0.15),
      minModRevision: filter(),
      maxModRevision: filter(),
      minCreateRevision: filter(),
      maxCreateRevision: filter(),
    };
  }

  txn(standing: Standing, depth = 0): TxnRequest {
    const random = this.#random;
    const list = <T>(most: number, make: () => T): T[] =>
      Array.from({ length: random.below(most + 1) }, make);
    return {
      compare: list(2, () => this.compare(standing)),
      success: list(4, () => this.#op(standing, depth)),
      failure: list(4, () => this.#op(standing, depth)),
    };
  }

  compare(standing: Standing): Compare {
    const random = this.#random;
    const key = this.key();
    const target = random.below(5);
    let operand: Compare["operand"] = random.below(4);
    if (target === 1 || target === 2) operand = random.chance(0.3) ? 0 : this.#revision(standing);
    if (target === 3) operand = bytes(random.pick(["", "v", "w", "x"]));
    if (target === 4) operand = this.#lease(standing);
    return { key, rangeEnd: this.rangeEnd(key, 0.6), result: random.below(4), target, operand };
  }

  #op(standing: Standing, depth: number): RequestOp {
    const dice = this.#random.below(10);
    if (dice < 4) return { kind: "put", put: this.put(standing) };
    if (dice < 6) return { kind: "deleteRange", deleteRange: this.delete() };
    if (dice < 9 || depth === 2) return { kind: "range", range: this.range(standing) };
    return { kind: "txn", txn: this.txn(standing, depth + 1) };
  }

  #lease(standing: Standing): LeaseId {
    const known = [...standing.leases];
    return known.length === 0 || this.#random.chance(0.1) ? (99n as LeaseId) : this.#random.pick(known);
  }

  /** Mostly one that can be read. */
  #revision(standing: Standing): number {
    if (this.#random.chance(0.1)) return this.#random.between(-2, standing.revision + 2);
    return this.#random.between(Math.max(1, standing.compactRevision), standing.revision);
  }
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0));
}
