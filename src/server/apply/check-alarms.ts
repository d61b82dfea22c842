/**
 * What alarms forbid. As in etcd this comes before the question who asks, so that a client hears of the alarm and not of a
 * permission that it would need.
 */
import type { TxnRequest } from "../../codec/kv.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { errors } from "../../errors/table.ts";
import { AlarmType } from "../../gen/tables/etcdserverpb/rpc.ts";
import { costOf } from "../space-quota.ts";
import type { ApplyContext } from "./apply-context.ts";

const data: ReadonlySet<number> = new Set([
  raftField.range,
  raftField.put,
  raftField.deleteRange,
  raftField.txn,
  raftField.compaction,
  raftField.leaseGrant,
  raftField.leaseRevoke,
]);

/** Throws ErrCorrupt for whatever has to do with data while it may be damaged, and ErrNoSpace for what would add to it. */
export function checkAlarms({ alarms }: Pick<ApplyContext, "alarms">, field: number, request: unknown): void {
  if (!data.has(field)) return;
  if (alarms.has(AlarmType.CORRUPT)) throw errors.corrupt();
  if (alarms.has(AlarmType.NOSPACE) && grows(field, request)) throw errors.noSpace();
}

function grows(field: number, request: unknown): boolean {
  if (field === raftField.txn) return costOf(field, request as TxnRequest) > 0;
  return field === raftField.put || field === raftField.leaseGrant;
}
