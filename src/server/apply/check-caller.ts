/**
 * Whether the caller that an entry names may do what the entry asks for: decided when it is applied, because only then it is
 * certain which users and roles there are, and so the same on every member.
 */
import type { Caller } from "../../auth/caller.ts";
import {
  checkAdmin,
  checkDeleteRange,
  checkPut,
  checkRange,
  checkTxn,
  checkWrite,
  hasRole,
  isAdmin,
  leasesOfPuts,
} from "../../auth/permission.ts";
import type { DeleteRangeRequest, PutRequest, RangeRequest, TxnRequest } from "../../codec/kv.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { type LeaseId, noLease } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import type { ApplyContext } from "./apply-context.ts";

type Checked = Pick<ApplyContext, "auth" | "lessor" | "store">;

/** Throws etcd's error if it may not. What it returns has to be gone through before it is certain that it may. */
export function checkCaller(
  context: Checked,
  field: number,
  request: unknown,
  caller: Caller | undefined,
): Steps<void> | undefined {
  const { state } = context.auth;
  switch (field) {
    case raftField.range: {
      const { key, rangeEnd } = request as RangeRequest;
      checkRange(state, caller, key, rangeEnd);
      return undefined;
    }
    case raftField.put: {
      const put = request as PutRequest;
      checkPut(state, caller, put);
      return put.lease === noLease ? undefined : keysOfLeases(context, caller, [put.lease]);
    }
    case raftField.deleteRange:
      checkDeleteRange(state, caller, request as DeleteRangeRequest);
      return undefined;
    case raftField.txn:
      checkTxn(state, caller, request as TxnRequest);
      return keysOfLeases(context, caller, leasesOfPuts(request as TxnRequest));
    case raftField.leaseRevoke:
      return keysOfLeases(context, caller, [request as LeaseId]);
    case raftField.authUserGet:
      if ((request as { name: string }).name !== (caller?.username ?? "")) checkAdmin(state, caller);
      return undefined;
    case raftField.authRoleGet: {
      const { role } = request as { role: string };
      if (!hasRole(state, caller?.username ?? "", role)) checkAdmin(state, caller);
      return undefined;
    }
    default:
      if (adminFields.has(field)) checkAdmin(state, caller);
      return undefined;
  }
}

/** What only the root role may do. Alarms, compactions and the rest are checked before they are proposed. */
const adminFields: ReadonlySet<number> = new Set([
  raftField.authEnable,
  raftField.authDisable,
  raftField.authUserAdd,
  raftField.authUserDelete,
  raftField.authUserChangePassword,
  raftField.authUserGrantRole,
  raftField.authUserRevokeRole,
  raftField.authUserList,
  raftField.authRoleList,
  raftField.authRoleAdd,
  raftField.authRoleDelete,
  raftField.authRoleGrantPermission,
  raftField.authRoleRevokePermission,
]);

/**
 * Who attaches a key to a lease, or revokes it, must be allowed to write all keys of the lease: otherwise one could have
 * keys deleted that one may not delete.
 */
function keysOfLeases(
  context: Checked,
  caller: Caller | undefined,
  leases: Iterable<LeaseId>,
): Steps<void> | undefined {
  const { auth, lessor } = context;
  if (isAdmin(auth.state, caller)) return undefined;
  const known = [...leases].filter((id) => lessor.has(id));
  return known.length === 0 ? undefined : checkKeys(context, caller, known);
}

function* checkKeys(
  { auth, store }: Checked,
  caller: Caller | undefined,
  leases: readonly LeaseId[],
): Steps<void> {
  let checked = 0;
  for (const id of leases) {
    for (const key of yield* store.keysOfLease(id)) {
      checkWrite(auth.state, caller, key);
      if (++checked % 256 === 0) yield;
    }
  }
}
