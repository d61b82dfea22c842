/** Put, as one revision. Not in steps: it touches one key. */

import type { BinaryKey, Version } from "../../backend/backend.ts";
import type { PutRequest, PutResponse } from "../../codec/kv.ts";
import { errors } from "../../errors/table.ts";
import { toBinaryKey } from "../../lib/binary-key.ts";
import { noLease } from "../../lib/ids.ts";
import { toKeyValue } from "../overlay/generation.ts";
import type { Layers } from "../overlay/layers.ts";
import type { LeaseBook } from "../types.ts";

/** Whoever knows the newest version of a key before the transaction. */
export interface KeyReader {
  versionAt(key: BinaryKey): Version | undefined;
}

const noPrevious: PutResponse = { prevKv: undefined };

/**
 * Throws what etcd answers before it writes anything. Inside a transaction all puts are checked against the state
 * before the transaction.
 */
export function checkPut(reader: KeyReader, leases: LeaseBook, request: PutRequest): void {
  if (request.lease !== noLease && !leases.has(request.lease)) throw errors.leaseNotFound();
  if (!request.ignoreValue && !request.ignoreLease) return;
  const previous = reader.versionAt(toBinaryKey(request.key));
  if (previous === undefined || previous.version === 0) throw errors.keyNotFound();
}

/** Adds a put that was checked to the transaction in progress. */
export function writePut(layers: Layers, request: PutRequest): PutResponse {
  const key = toBinaryKey(request.key);
  const { prevKv, ignoreValue, ignoreLease } = request;
  if (!prevKv && !ignoreValue && !ignoreLease) {
    layers.put(key, request.key, request.value, request.lease);
    return noPrevious;
  }
  const newest = layers.newestWritten(key);
  const previous = newest === undefined || newest.version === 0 ? undefined : newest;
  if (previous === undefined && (ignoreValue || ignoreLease)) {
    throw new Error("mvcc: a put without its own value or lease, and no version before it");
  }
  layers.put(
    key,
    request.key,
    ignoreValue ? previous!.value : request.value,
    ignoreLease ? previous!.lease : request.lease,
  );
  if (!prevKv || previous === undefined) return noPrevious;
  return { prevKv: toKeyValue(previous, request.key) };
}
