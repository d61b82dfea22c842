/** Who may do what. Each check throws etcd's error; without authentication all is allowed. */
import type { DeleteRangeRequest, PutRequest, RequestOp, TxnRequest } from "../codec/kv.ts";
import { errors } from "../errors/table.ts";
import { type LeaseId, noLease } from "../lib/ids.ts";
import type { AuthState } from "./auth-state.ts";
import { type Caller, rootName } from "./caller.ts";
import type { Access } from "./key-spans.ts";

const oneKey = new Uint8Array(0);

export function hasRole(state: AuthState, username: string, role: string): boolean {
  return state.user(username)?.roles.includes(role) ?? false;
}

/** Whether everything is allowed to a caller. Not asked of old revisions: roles are looked up as they are now. */
export function isAdmin(state: AuthState, caller: Caller | undefined): boolean {
  return !state.enabled || (caller !== undefined && hasRole(state, caller.username, rootName));
}

/** What only the root role may do. */
export function checkAdmin(state: AuthState, caller: Caller | undefined): void {
  if (!state.enabled) return;
  if (caller === undefined || caller.username === "") throw errors.userEmpty();
  if (!state.user(caller.username)) throw errors.userNotFound();
  if (!isAdmin(state, caller)) throw errors.permissionDenied();
}

/** What any user may do. */
export function checkUser(state: AuthState, caller: Caller | undefined): void {
  if (state.enabled && caller === undefined) throw errors.userEmpty();
}

export function checkRange(
  state: AuthState,
  caller: Caller | undefined,
  key: Uint8Array,
  rangeEnd: Uint8Array,
): void {
  checkAccess(state, caller, "read", key, rangeEnd);
}

export function checkWrite(state: AuthState, caller: Caller | undefined, key: Uint8Array): void {
  checkAccess(state, caller, "write", key, oneKey);
}

/** The lease that a put attaches its key to is not looked at: see `leasesOfPuts`. */
export function checkPut(state: AuthState, caller: Caller | undefined, request: PutRequest): void {
  checkWrite(state, caller, request.key);
  if (request.prevKv) checkRange(state, caller, request.key, oneKey);
}

export function checkDeleteRange(
  state: AuthState,
  caller: Caller | undefined,
  request: DeleteRangeRequest,
): void {
  const { key, rangeEnd } = request;
  checkAccess(state, caller, "write", key, rangeEnd);
  if (request.prevKv) checkRange(state, caller, key, rangeEnd);
}

/** All that it compares and all operations of both branches, nested ones too, whichever will run. */
export function checkTxn(state: AuthState, caller: Caller | undefined, request: TxnRequest): void {
  for (const { key, rangeEnd } of request.compare) checkRange(state, caller, key, rangeEnd);
  for (const op of request.success) checkOp(state, caller, op);
  for (const op of request.failure) checkOp(state, caller, op);
}

function checkOp(state: AuthState, caller: Caller | undefined, op: RequestOp): void {
  switch (op.kind) {
    case "range":
      checkRange(state, caller, op.range.key, op.range.rangeEnd);
      return;
    case "put":
      checkPut(state, caller, op.put);
      return;
    case "deleteRange":
      checkDeleteRange(state, caller, op.deleteRange);
      return;
    case "txn":
      checkTxn(state, caller, op.txn);
  }
}

/** The leases that puts of a transaction attach keys to. Who may not write all the keys of a lease may not attach to it. */
export function leasesOfPuts(request: TxnRequest, into = new Set<LeaseId>()): Set<LeaseId> {
  for (const op of [...request.success, ...request.failure]) {
    if (op.kind === "put" && op.put.lease !== noLease) into.add(op.put.lease);
    else if (op.kind === "txn") leasesOfPuts(op.txn, into);
  }
  return into;
}

function checkAccess(
  state: AuthState,
  caller: Caller | undefined,
  access: Access,
  key: Uint8Array,
  rangeEnd: Uint8Array,
): void {
  if (!state.enabled) return;
  if (caller === undefined || caller.authRevision === 0) throw errors.userEmpty();
  if (caller.authRevision < state.revision) throw errors.authOldRevision();
  if (hasRole(state, caller.username, rootName)) return;
  if (!state.spansOf(caller.username)?.[access].covers(key, rangeEnd)) throw errors.permissionDenied();
}
