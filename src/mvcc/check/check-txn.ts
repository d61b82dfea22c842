/**
 * What is refused in a transaction before it is proposed: too many operations, empty keys, bad options, and keys that
 * would be written twice.
 */
import type { RequestOp, TxnRequest } from "../../codec/kv.ts";
import { errors } from "../../errors/table.ts";
import { toBinaryKey } from "../../lib/binary-key.ts";
import { IntervalTree } from "../../lib/interval-tree.ts";
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
  readonly deletes: readonly Deletion[];
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
  const deleted = new IntervalTree<true>();
  for (const { from, to } of deletes) deleted.set(from, to, true);
  for (const op of ops) {
    if (op.kind !== "txn") continue;
    const then = writesOf(op.txn.success);
    const otherwise = writesOf(op.txn.failure);
    for (const key of then.puts) {
      if (puts.has(key) || deleted.contains(key)) throw errors.duplicateKey();
    }
    for (const key of otherwise.puts) {
      if (puts.has(key) || deleted.contains(key)) throw errors.duplicateKey();
    }
    for (const key of then.puts) puts.add(key);
    for (const key of otherwise.puts) puts.add(key);
    for (const deletion of [...then.deletes, ...otherwise.deletes]) {
      deleted.set(deletion.from, deletion.to, true);
      deletes.push(deletion);
    }
  }
  for (const op of ops) {
    if (op.kind !== "put") continue;
    const key = toBinaryKey(op.put.key);
    if (puts.has(key) || deleted.contains(key)) throw errors.duplicateKey();
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
