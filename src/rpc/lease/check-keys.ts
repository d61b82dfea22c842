/** Keys that hang on leases: they are told, and their leases renewed, only to those who may read or write all of them. */
import type { Caller } from "../../auth/caller.ts";
import { checkRange, checkWrite, isAdmin } from "../../auth/permission.ts";
import type { LeaseId } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import type { RpcServer } from "../rpc-server.ts";

const oneKey = new Uint8Array(0);
const keysPerStep = 256;

export function* checkReadable(
  { auth }: RpcServer,
  caller: Caller,
  keys: readonly Uint8Array[],
): Steps<void> {
  if (isAdmin(auth.state, caller)) return;
  for (let i = 0; i < keys.length; i++) {
    checkRange(auth.state, caller, keys[i]!, oneKey);
    if (i % keysPerStep === keysPerStep - 1) yield;
  }
}

export function* checkLeasesReadable(
  server: RpcServer,
  caller: Caller,
  leases: readonly LeaseId[],
): Steps<void> {
  if (isAdmin(server.auth.state, caller)) return;
  for (const id of leases) {
    yield* checkReadable(server, caller, yield* server.store.keysOfLease(id));
    yield;
  }
}

/** Who keeps a lease alive decides that its keys live on. */
export function* checkWritable({ auth, store }: RpcServer, caller: Caller, lease: LeaseId): Steps<void> {
  if (isAdmin(auth.state, caller)) return;
  const keys = yield* store.keysOfLease(lease);
  for (let i = 0; i < keys.length; i++) {
    checkWrite(auth.state, caller, keys[i]!);
    if (i % keysPerStep === keysPerStep - 1) yield;
  }
}
