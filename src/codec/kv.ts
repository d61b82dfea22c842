/**
 * The messages of the hot path as plain objects, and their bytes. Revisions, limits and versions are JavaScript
 * numbers (they stay below 2^53; anything larger on the wire becomes the nearest double, which compares as it
 * should); lease ids keep all their 64 bits as bigints.
 *
 * Everything else goes by tables (messages.ts); these few are by hand because they are read and written
 * hundreds of thousands of times a second. The tests compare each with the generated code, byte for byte.
 */
import type { LeaseId } from "../lib/ids.ts";

export interface KeyValue {
  readonly key: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly value: Uint8Array;
  readonly lease: LeaseId;
}

export interface ResponseHeader {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly revision: number;
  readonly raftTerm: number;
}

export const SortOrder = { none: 0, ascend: 1, descend: 2 } as const;
export type SortOrder = (typeof SortOrder)[keyof typeof SortOrder];
export const SortTarget = { key: 0, version: 1, create: 2, mod: 3, value: 4 } as const;
export type SortTarget = (typeof SortTarget)[keyof typeof SortTarget];

export interface RangeRequest {
  readonly key: Uint8Array;
  /** Empty: the one key. A single zero byte: all keys from `key` on. */
  readonly rangeEnd: Uint8Array;
  readonly limit: number;
  /** 0 or less: the newest. */
  readonly revision: number;
  readonly sortOrder: number;
  readonly sortTarget: number;
  readonly serializable: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  readonly minModRevision: number;
  readonly maxModRevision: number;
  readonly minCreateRevision: number;
  readonly maxCreateRevision: number;
}

export interface RangeResponse {
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
}

export interface PutRequest {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly lease: LeaseId;
  readonly prevKv: boolean;
  readonly ignoreValue: boolean;
  readonly ignoreLease: boolean;
}

export interface PutResponse {
  readonly prevKv: KeyValue | undefined;
}

export interface DeleteRangeRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly prevKv: boolean;
}

export interface DeleteRangeResponse {
  readonly deleted: number;
  readonly prevKvs: readonly KeyValue[];
}

export const CompareResult = { equal: 0, greater: 1, less: 2, notEqual: 3 } as const;
export const CompareTarget = { version: 0, create: 1, mod: 2, value: 3, lease: 4 } as const;

export interface Compare {
  readonly result: number;
  readonly target: number;
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  /** The operand that `target` names; undefined when the request left it out (etcd then compares with zero or the
   * empty value). Numbers for version, create and mod; a bigint for lease; bytes for value. */
  readonly operand: number | bigint | Uint8Array | undefined;
}

export type RequestOp =
  | { readonly kind: "range"; readonly range: RangeRequest }
  | { readonly kind: "put"; readonly put: PutRequest }
  | { readonly kind: "deleteRange"; readonly deleteRange: DeleteRangeRequest }
  | { readonly kind: "txn"; readonly txn: TxnRequest }
  /** A RequestOp with nothing in it: etcd refuses it. */
  | { readonly kind: "none" };

export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

/** `revision` is what etcd writes into the header of the op's answer (the only field it fills there): the revision
 * the op saw, or made. It is 1 less for a range before the first write of its transaction than for one after. */
export type ResponseOp =
  | { readonly kind: "range"; readonly range: RangeResponse; readonly revision: number }
  | { readonly kind: "put"; readonly put: PutResponse; readonly revision: number }
  | {
      readonly kind: "deleteRange";
      readonly deleteRange: DeleteRangeResponse;
      readonly revision: number;
    }
  | { readonly kind: "txn"; readonly txn: TxnResponse };

export interface CompactionRequest {
  readonly revision: number;
  /** Answer only when the old versions are gone from the store. */
  readonly physical: boolean;
}

export interface TxnResponse {
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
  /** The revision after the whole transaction, for the header of the outermost answer. 0 in a nested one: etcd
   * gives those a header with nothing in it. */
  readonly revision: number;
}
