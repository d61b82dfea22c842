/** What can be refused by looking at a request alone, as etcd does before it proposes anything. */
import type { DeleteRangeRequest, PutRequest, RangeRequest } from "../../codec/kv.ts";
import { SortOrder, SortTarget } from "../../codec/kv.ts";
import { errors } from "../../errors/table.ts";
import { noLease } from "../../lib/ids.ts";

/** The largest values of the two enumerations: anything between 0 and these has a name. */
const lastSortOrder = SortOrder.descend;
const lastSortTarget = SortTarget.value;

/** Throws ErrEmptyKey or ErrInvalidSortOption. */
export function checkRange(request: RangeRequest): void {
  if (request.key.length === 0) throw errors.emptyKey();
  const { sortOrder, sortTarget } = request;
  if (!(sortOrder >= 0 && sortOrder <= lastSortOrder)) throw errors.invalidSortOption();
  if (!(sortTarget >= 0 && sortTarget <= lastSortTarget)) throw errors.invalidSortOption();
}

/** As `checkRange`; RangeStream gives rows in key order and knows no revision filters. */
export function checkRangeStream(request: RangeRequest): void {
  checkRange(request);
  const { sortOrder, sortTarget } = request;
  const keyOrder = sortTarget === SortTarget.key && sortOrder === SortOrder.ascend;
  if (sortOrder !== SortOrder.none && !keyOrder) throw errors.rangeStreamSort();
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  if (minModRevision !== 0 || maxModRevision !== 0 || minCreateRevision !== 0 || maxCreateRevision !== 0) {
    throw errors.rangeStreamFilter();
  }
}

/** Throws ErrEmptyKey, ErrValueProvided or ErrLeaseProvided. */
export function checkPutRequest(request: PutRequest): void {
  if (request.key.length === 0) throw errors.emptyKey();
  if (request.ignoreValue && request.value.length !== 0) throw errors.valueProvided();
  if (request.ignoreLease && request.lease !== noLease) throw errors.leaseProvided();
}

/** Throws ErrEmptyKey. */
export function checkDeleteRange(request: DeleteRangeRequest): void {
  if (request.key.length === 0) throw errors.emptyKey();
}
