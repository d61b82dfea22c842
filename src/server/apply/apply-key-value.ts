/** Range, Put, DeleteRange, Txn and Compaction. */
import type {
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "../../codec/kv.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { errors } from "../../errors/table.ts";
import type { RaftIndex, Revision, Term } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import { costOf } from "../space-quota.ts";
import type { ApplyContext, Outcome } from "./apply-context.ts";

export function applyKeyValue(
  context: ApplyContext,
  field: number,
  request: unknown,
  index: RaftIndex,
  term: Term,
): Outcome {
  const { store } = context;
  switch (field) {
    case raftField.put: {
      // Over its quota a member applies the entry as the others do, and still tells the client that there is no space.
      const over = !context.hasSpaceFor(field, request);
      const response = store.applyPut(request as PutRequest, index, term);
      return over ? { error: errors.noSpace() } : { result: response };
    }
    case raftField.deleteRange:
      return { steps: store.applyDeleteRange(request as DeleteRangeRequest, index, term) };
    case raftField.txn: {
      const txn = request as TxnRequest;
      const grows = costOf(field, txn) > 0;
      const instead = grows && !context.hasSpaceFor(field, txn) ? errors.noSpace() : undefined;
      return { steps: store.applyTxn(txn, index, term), instead };
    }
    case raftField.compaction:
      return compact(context, (request as CompactionRequest).revision as Revision, index, term);
    default:
      return { steps: readThroughLog(context, request as RangeRequest, index, term) };
  }
}

function compact(context: ApplyContext, revision: Revision, index: RaftIndex, term: Term): Outcome {
  const { store } = context;
  const previous = store.compactRevision;
  store.applyCompaction(revision, index, term);
  context.onCompaction(revision, previous);
  return { result: undefined };
}

function* readThroughLog(
  { store }: ApplyContext,
  request: RangeRequest,
  index: RaftIndex,
  term: Term,
): Steps<unknown> {
  const response = yield* store.range(request);
  store.applyNothing(index, term);
  return response;
}
