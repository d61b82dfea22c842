/** LeaseGrant, LeaseRevoke and LeaseCheckpoint. */
import type { LeaseCheckpoint, LeaseGrantRequest } from "../../codec/lease.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { errors } from "../../errors/table.ts";
import type { LeaseId, RaftIndex, Term } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import type { ApplyContext, Outcome } from "./apply-context.ts";

export function applyLease(
  context: ApplyContext,
  field: number,
  request: unknown,
  index: RaftIndex,
  term: Term,
): Outcome {
  const { store, lessor } = context;
  if (field === raftField.leaseCheckpoint) {
    store.applyMeta(lessor.checkpoint(request as LeaseCheckpoint[]), index, term);
    return { result: undefined };
  }
  if (field === raftField.leaseRevoke) return { steps: revoke(context, request as LeaseId, index, term) };
  const over = !context.hasSpaceFor(field, request);
  const { row, ...granted } = lessor.grant(request as LeaseGrantRequest, context.monotonicMs());
  store.applyMeta([row], index, term);
  return over ? { error: errors.noSpace() } : { result: granted };
}

/** The lease goes in the same moment as its keys: nobody sees one without the other. */
function* revoke(
  { store, lessor, onLeaseRevoked }: ApplyContext,
  id: LeaseId,
  index: RaftIndex,
  term: Term,
): Steps<void> {
  if (!lessor.has(id)) throw errors.leaseNotFound();
  yield* store.applyLeaseRevoke(id, index, term);
  store.applyMeta([lessor.revoke(id)], index, term);
  onLeaseRevoked(id);
}
