/** A store on a plain backend, with short ways to use it. */
import type { DeleteRangeRequest, PutRequest, RangeRequest, TxnRequest } from "../../codec/kv.ts";
import type { LeaseId, Revision } from "../../lib/ids.ts";
import { finish } from "../../lib/steps.ts";
import { MvccStore } from "../store.ts";
import { PlainBackend } from "./plain-backend.ts";
import { deleteRequest, indexes, putRequest, rangeRequest, term, text, txnRequest } from "./requests.ts";

export function storeFixture(leases: LeaseId[] = []) {
  const backend = new PlainBackend();
  const store = new MvccStore({ backend, leases: { has: (id) => leases.includes(id) } });
  const next = indexes();
  return {
    backend,
    store,
    next,
    put: (key: string, value = "", options: Partial<PutRequest> = {}) =>
      store.applyPut(putRequest(key, value, options), next(), term),
    remove: (key: string, rangeEnd = "", options: Partial<DeleteRangeRequest> = {}) =>
      finish(store.applyDeleteRange(deleteRequest(key, rangeEnd, options), next(), term)),
    range: (key: string, rangeEnd = "", options: Partial<RangeRequest> = {}) =>
      finish(store.range(rangeRequest(key, rangeEnd, options))),
    txn: (parts: Partial<TxnRequest>) => finish(store.applyTxn(txnRequest(parts), next(), term)),
    compact: (revision: number) => store.applyCompaction(revision as Revision, next(), term),
    flush: () => {
      const generation = store.seal();
      if (generation) {
        backend.writeNow(generation);
        store.dropSealed();
      }
      return generation;
    },
  };
}

/** The keys of an answer, with a space between them. */
export function keysOf(result: { readonly kvs: readonly { readonly key: Uint8Array }[] }): string {
  return result.kvs.map((kv) => text(kv.key)).join(" ");
}
