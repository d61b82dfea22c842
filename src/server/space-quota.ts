/**
 * `--quota-backend-bytes`: what would grow the store past it is refused, and the alarm NOSPACE is raised, through the log,
 * by every member that has no more space. Then nobody adds anything until the alarm is disarmed.
 *
 * What counts is what the store has in use, and what waits in memory to be written to it. Free pages of its file do not
 * count: they are used before the file grows, so the file never grows past the quota either, and what deletions and a
 * compaction have freed is room again at once, without a defragmentation. Costs are etcd's estimates.
 */

import type { PutRequest, RequestOp, TxnRequest } from "../codec/kv.ts";
import { create, toBinary } from "../codec/messages.ts";
import { raftField } from "../codec/raft-internal.ts";
import type { EtcdError } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import { AlarmRequest_AlarmAction, AlarmRequestSchema, AlarmType } from "../gen/tables/etcdserverpb/rpc.ts";
import { humanBytes } from "../lib/human-bytes.ts";
import type { MemberId } from "../lib/ids.ts";
import type { Logger } from "../lib/logger.ts";
import type { ProposedRequest } from "./proposer.ts";

const leaseBytes = 64;
/** Of a version, beside its key and its value. */
const versionBytes = 256;

/** About how many bytes a request adds to the store at most; 0 for one that adds nothing. */
export function costOf(field: number, request: unknown): number {
  switch (field) {
    case raftField.put:
      return putCost(request as PutRequest);
    case raftField.txn:
      return txnCost(request as TxnRequest);
    case raftField.leaseGrant:
      return leaseBytes;
    default:
      return 0;
  }
}

const putCost = ({ key, value }: PutRequest): number => versionBytes + key.length + value.length;

function txnCost({ success, failure }: TxnRequest): number {
  return Math.max(sumOf(success), sumOf(failure));
}

function sumOf(ops: readonly RequestOp[]): number {
  let sum = 0;
  for (const op of ops) {
    if (op.kind === "put") sum += putCost(op.put);
    else if (op.kind === "txn") sum += txnCost(op.txn);
  }
  return sum;
}

export interface SpaceQuotaOptions {
  /** Negative: none. */
  readonly quotaBytes: number;
  /** What counts, of the store in use now. */
  readonly usedBytes: () => number;
  readonly localId: MemberId;
  readonly logger: Logger;
  readonly propose: (request: ProposedRequest, done: (error: EtcdError | undefined) => void) => void;
}

export class SpaceQuota {
  readonly #options: SpaceQuotaOptions;
  /** Who waits for the alarm that is being raised. */
  #waiting: (() => void)[] | undefined;

  constructor(options: SpaceQuotaOptions) {
    this.#options = options;
  }

  announce(): void {
    const { quotaBytes, logger } = this.#options;
    const bytes = { "quota-name": "v3-applier", "quota-size-bytes": quotaBytes };
    if (quotaBytes < 0) logger.info("disabled backend quota", bytes);
    else logger.info("enabled backend quota", { ...bytes, "quota-size": humanBytes(quotaBytes) });
  }

  hasSpaceFor(costBytes: number): boolean {
    const { quotaBytes, usedBytes } = this.#options;
    return costBytes === 0 || quotaBytes < 0 || usedBytes() + costBytes < quotaBytes;
  }

  /** Raises NOSPACE for this member and calls back when it is raised, or cannot be. */
  raiseAlarm(then: () => void): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(then);
      return;
    }
    this.#waiting = [then];
    const { quotaBytes, localId, logger, propose } = this.#options;
    logger.warn("message exceeded backend quota; raising alarm", {
      "quota-size-bytes": quotaBytes,
      "quota-size": humanBytes(quotaBytes),
      error: errors.noSpace.text,
    });
    const action = AlarmRequest_AlarmAction.ACTIVATE;
    const request = create(AlarmRequestSchema, { memberID: localId, action, alarm: AlarmType.NOSPACE });
    const bytes = toBinary(AlarmRequestSchema, request);
    propose({ field: raftField.alarm, bytes, request }, () => {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      for (const told of waiting) told();
    });
  }
}
