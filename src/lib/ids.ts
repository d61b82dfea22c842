/**
 * The kinds of number that must never be mixed up. A brand costs nothing at run time; it makes passing a term
 * where an index is wanted a type error.
 */

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A revision of the key space (etcd's "main" revision). Starts at 1 in an empty store. A safe integer. */
export type Revision = Branded<number, "Revision">;
/** An index in the Raft log. The first entry has index 1. A safe integer. */
export type RaftIndex = Branded<number, "RaftIndex">;
/** A Raft term. A safe integer. */
export type Term = Branded<number, "Term">;
/** A member's id: an unsigned 64-bit number. */
export type MemberId = Branded<bigint, "MemberId">;
/** A cluster's id: an unsigned 64-bit number. */
export type ClusterId = Branded<bigint, "ClusterId">;
/** A lease's id: a signed 64-bit number, 0n meaning "no lease". */
export type LeaseId = Branded<bigint, "LeaseId">;

/** No lease. */
export const noLease = 0n as LeaseId;
/** No member: what Raft calls `None`. */
export const noMember = 0n as MemberId;
