/** Alarm: list, raise, disarm. */
import {
  AlarmRequest_AlarmAction as Action,
  type AlarmMember,
  type AlarmRequest,
  AlarmType,
} from "../../gen/tables/etcdserverpb/rpc.ts";
import type { MemberId, RaftIndex, Term } from "../../lib/ids.ts";
import type { ApplyContext, Outcome } from "./apply-context.ts";

export function applyAlarm(context: ApplyContext, request: unknown, index: RaftIndex, term: Term): Outcome {
  const { alarms, store } = context;
  const { action, memberID, alarm } = request as AlarmRequest;
  let changed: ReturnType<typeof alarms.disarm>;
  if (action === Action.GET) {
    store.applyNothing(index, term);
    return { result: alarms.list(alarm) satisfies AlarmMember[] };
  }
  if (action === Action.ACTIVATE && alarm !== AlarmType.NONE) {
    changed = alarms.raise(memberID as MemberId, alarm);
    context.logger.warn("alarm raised", { alarm, member: memberID.toString(16) });
  } else if (action === Action.DEACTIVATE) {
    changed = alarms.disarm(memberID as MemberId, alarm);
    if (changed) context.logger.warn("alarm disarmed", { alarm, member: memberID.toString(16) });
  }
  if (changed && changed.changes.length > 0) store.applyMeta(changed.changes, index, term);
  else store.applyNothing(index, term);
  return { result: changed ? [changed.member] : [] };
}
