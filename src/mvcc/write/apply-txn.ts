/**
 * Transactions. First all comparisons are made, those of nested transactions too, on the state before the
 * transaction; that fixes which branches run. Then everything that could refuse the transaction is checked, again on
 * the state before; and only then is anything written, because what was written cannot be taken back.
 */
import type {
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RangeResponse,
  RequestOp,
  ResponseOp,
  TxnRequest,
  TxnResponse,
} from "../../codec/kv.ts";
import { errors } from "../../errors/table.ts";
import { toBinaryKey } from "../../lib/binary-key.ts";
import type { Revision } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import type { Layers } from "../overlay/layers.ts";
import { type Meter, rangeRows, readRevision, toKeyValues } from "../read/range.ts";
import { ReadView } from "../read/read-view.ts";
import type { LeaseBook } from "../types.ts";
import { writeDeleteRange } from "./apply-delete-range.ts";
import { checkPut, writePut } from "./apply-put.ts";
import { comparesHold } from "./compare.ts";

/** A transaction with its branches chosen. */
export interface TxnPlan {
  readonly succeeded: boolean;
  readonly ops: readonly RequestOp[];
  /** The plans of the nested transactions among `ops`, in their order. */
  readonly nested: readonly TxnPlan[];
}

/** Chooses the branches by the comparisons. */
export function* planTxn(view: ReadView, request: TxnRequest): Steps<TxnPlan> {
  const succeeded = yield* comparesHold(view, request.compare);
  const ops = succeeded ? request.success : request.failure;
  const nested: TxnPlan[] = [];
  for (const op of ops) {
    if (op.kind === "txn") nested.push(yield* planTxn(view, op.txn));
  }
  return { succeeded, ops, nested };
}

/** Throws what etcd refuses a transaction with: a revision that cannot be read, a lease or a key that is missing. */
export function checkPlan(view: ReadView, compacted: Revision, leases: LeaseBook, plan: TxnPlan): void {
  new PlanCheck(view, compacted, leases).check(plan);
}

class PlanCheck {
  readonly #view: ReadView;
  readonly #compacted: Revision;
  readonly #leases: LeaseBook;
  /** From this key on the transaction has deleted everything when it comes to the operation that is looked at. */
  #deletedFrom: string | undefined;

  constructor(view: ReadView, compacted: Revision, leases: LeaseBook) {
    this.#view = view;
    this.#compacted = compacted;
    this.#leases = leases;
  }

  check(plan: TxnPlan): void {
    let child = 0;
    for (const op of plan.ops) {
      if (op.kind === "range") checkRangeRevision(op.range.revision, this.#view.revision, this.#compacted);
      else if (op.kind === "put") this.#put(op.put);
      else if (op.kind === "deleteRange") this.#delete(op.deleteRange);
      else if (op.kind === "txn") this.check(plan.nested[child++]!);
    }
  }

  /**
   * A put that keeps its key's value, after a deletion of that key: the check for duplicate keys lets that through when
   * the deletion goes to the end of all keys (see check-txn.ts). etcd panics then; here the key is simply missing.
   */
  #put(request: PutRequest): void {
    checkPut(this.#view, this.#leases, request);
    if (this.#deletedFrom === undefined || !(request.ignoreValue || request.ignoreLease)) return;
    if (toBinaryKey(request.key) >= this.#deletedFrom) throw errors.keyNotFound();
  }

  #delete({ key, rangeEnd }: DeleteRangeRequest): void {
    if (rangeEnd.length !== 1 || rangeEnd[0] !== 0) return;
    const from = toBinaryKey(key);
    if (this.#deletedFrom === undefined || from < this.#deletedFrom) this.#deletedFrom = from;
  }
}

/** As outside of a transaction, but for negative revisions: those are "the newest" there, and compared as they are
 * here. */
function checkRangeRevision(requested: number, current: Revision, compacted: Revision): void {
  if (requested === 0) return;
  if (requested > current) throw errors.futureRev();
  if (requested < compacted) throw errors.compacted();
}

/** Runs a plan with nothing but ranges, also in its nested transactions. */
export function* runReadPlan(
  view: ReadView,
  compacted: Revision,
  plan: TxnPlan,
  meter?: Meter,
): Steps<TxnResponse> {
  const responses: ResponseOp[] = [];
  let child = 0;
  for (const op of plan.ops) {
    if (op.kind === "txn") {
      const txn = yield* runReadPlan(view, compacted, plan.nested[child++]!, meter);
      responses.push({ kind: "txn", txn: { ...txn, revision: 0 } });
      continue;
    }
    if (op.kind !== "range") throw new Error("mvcc: a transaction that writes cannot be read");
    const range = yield* readInside(view, compacted, op.range, meter);
    responses.push({ kind: "range", range, revision: view.revision });
    if (responses.length % 32 === 0) yield;
  }
  return { succeeded: plan.succeeded, responses, revision: view.revision };
}

/** Runs a plan that was checked. Its reads see its writes. */
export function* runPlan(layers: Layers, plan: TxnPlan, skipRanges: boolean): Steps<TxnResponse> {
  const responses: ResponseOp[] = [];
  let child = 0;
  for (const op of plan.ops) {
    switch (op.kind) {
      case "range": {
        const range = skipRanges ? emptyRange : yield* readWritten(layers, op.range);
        responses.push({ kind: "range", range, revision: layers.writeRevision });
        break;
      }
      case "put": {
        const put = writePut(layers, op.put);
        responses.push({ kind: "put", put, revision: layers.writeRevision });
        break;
      }
      case "deleteRange": {
        const deleteRange = yield* writeDeleteRange(layers, op.deleteRange);
        responses.push({ kind: "deleteRange", deleteRange, revision: layers.writeRevision });
        break;
      }
      case "txn":
        responses.push({ kind: "txn", txn: yield* runPlan(layers, plan.nested[child++]!, skipRanges) });
        break;
      default:
        throw new Error("mvcc: an empty operation in a transaction");
    }
    if (responses.length % 32 === 0) yield;
  }
  return { succeeded: plan.succeeded, responses, revision: 0 };
}

const emptyRange = { kvs: [], count: 0, more: false };

function readWritten(layers: Layers, request: RangeRequest): Steps<RangeResponse> {
  return readInside(new ReadView(layers, layers.writeRevision), layers.compactRevision, request);
}

function* readInside(
  view: ReadView,
  compacted: Revision,
  request: RangeRequest,
  meter?: Meter,
): Steps<RangeResponse> {
  const revision = readRevision(request.revision, view.revision, compacted);
  const found = yield* rangeRows(view.at(revision), request, meter);
  const kvs = yield* toKeyValues(request, found.rows);
  return { kvs, count: found.count, more: found.more };
}
