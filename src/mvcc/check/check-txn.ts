/**
 * What is refused in a transaction before it is proposed: too many operations, empty keys, bad options, and keys that
 * would be written twice.
 */
import type { RequestOp, TxnRequest } from "../../codec/kv.ts";
import { errors } from "../../errors/table.ts";
import { toBinaryKey } from "../../lib/binary-key.ts";
import { checkDeleteRange, checkPutRequest, checkRange } from "./check-request.ts";

/**
 * Throws ErrTooManyOps, ErrEmptyKey, ErrInvalidSortOption, ErrValueProvided, ErrLeaseProvided, ErrKeyNotFound (an
 * operation that is none) or ErrDuplicateKey. `maxOps` is `--max-txn-ops`: no list of a transaction may be longer, and
 * a nested one may have so many less as the longest list around it has.
 */
export function checkTxn(request: TxnRequest, maxOps: number): void {
  checkShape(request, maxOps);
  // Only after the shape is known to be bounded.
  writesOf(request.success);
  writesOf(request.failure);
}

function checkShape(request: TxnRequest, maxOps: number): void {
  const longest = Math.max(request.compare.length, request.success.length, request.failure.length);
  if (longest > maxOps) throw errors.tooManyOps();
  for (const { key } of request.compare) {
    if (key.length === 0) throw errors.emptyKey();
  }
  for (const op of request.success) checkOp(op, maxOps - longest);
  for (const op of request.failure) checkOp(op, maxOps - longest);
}

function checkOp(op: RequestOp, maxOps: number): void {
  switch (op.kind) {
    case "range":
      checkRange(op.range);
      break;
    case "put":
      checkPutRequest(op.put);
      break;
    case "deleteRange":
      checkDeleteRange(op.deleteRange);
      break;
    case "txn":
      checkShape(op.txn, maxOps);
      break;
    default:
      throw errors.keyNotFound();
  }
}

/** What a list of operations may write, whichever branches its nested transactions take. */
interface Writes {
  readonly puts: Set<string>;
  /** Not sorted, may overlap. */
  readonly deletes: Deletion[];
}

interface Deletion {
  readonly from: string;
  readonly to: string;
}

/**
 * Puts of the same key clash, unless they are in the two branches of one nested transaction, of which only one runs. A
 * put clashes with a deletion of its key in the same list, in a list around it, or in a nested transaction that
 * comes earlier. (A nested put before a nested deletion passes: it is etcd's order of looking that decides.)
 */
function writesOf(ops: readonly RequestOp[]): Writes {
  const deletes = deletionsIn(ops);
  const puts = new Set<string>();
  let index = new DeletionIndex(deletes);
  for (const op of ops) {
    if (op.kind !== "txn") continue;
    const then = writesOf(op.txn.success);
    const otherwise = writesOf(op.txn.failure);
    for (const key of then.puts) {
      if (puts.has(key) || index.covers(key)) throw errors.duplicateKey();
    }
    for (const key of otherwise.puts) {
      if (puts.has(key) || index.covers(key)) throw errors.duplicateKey();
    }
    for (const key of then.puts) puts.add(key);
    for (const key of otherwise.puts) puts.add(key);
    if (then.deletes.length + otherwise.deletes.length === 0) continue;
    for (const deletion of then.deletes) deletes.push(deletion);
    for (const deletion of otherwise.deletes) deletes.push(deletion);
    index = new DeletionIndex(deletes);
  }
  for (const op of ops) {
    if (op.kind !== "put") continue;
    const key = toBinaryKey(op.put.key);
    if (puts.has(key) || index.covers(key)) throw errors.duplicateKey();
    puts.add(key);
  }
  return { puts, deletes };
}

/** A deletion up to the end of all keys (range_end "\0") is not among them: etcd's interval for it is empty, so it
 * clashes with nothing, and clients may have come to rely on that. */
function deletionsIn(ops: readonly RequestOp[]): Deletion[] {
  const deletions: Deletion[] = [];
  for (const op of ops) {
    if (op.kind !== "deleteRange") continue;
    const from = toBinaryKey(op.deleteRange.key);
    const rangeEnd = toBinaryKey(op.deleteRange.rangeEnd);
    const to = rangeEnd === "" ? `${from}\0` : rangeEnd;
    if (from < to) deletions.push({ from, to });
  }
  return deletions;
}

/** The union of deletions as sorted spans without overlaps: one binary search a key. */
class DeletionIndex {
  readonly #from: string[] = [];
  readonly #to: string[] = [];

  constructor(deletions: readonly Deletion[]) {
    const sorted = [...deletions].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
    for (const { from, to } of sorted) {
      const last = this.#to.length - 1;
      if (last >= 0 && from <= this.#to[last]!) {
        if (to > this.#to[last]!) this.#to[last] = to;
        continue;
      }
      this.#from.push(from);
      this.#to.push(to);
    }
  }

  covers(key: string): boolean {
    let low = 0;
    let high = this.#from.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#from[middle]! <= key) low = middle + 1;
      else high = middle;
    }
    return low > 0 && key < this.#to[low - 1]!;
  }
}
