/** Maintenance.Alarm: list, raise and disarm, through the log. */
import { raftField } from "../../codec/raft-internal.ts";
import {
  type AlarmMember,
  AlarmRequestSchema,
  AlarmResponseSchema,
} from "../../gen/tables/etcdserverpb/rpc.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { proposed, unaryMessages } from "../handler.ts";
import { responseHeader } from "../response-header.ts";
import type { MaintenanceSource } from "../rpc-server.ts";

export function alarmHandler(server: MaintenanceSource): SingleRequestHandler {
  return unaryMessages(AlarmRequestSchema, AlarmResponseSchema, async (request, _call, bytes) => {
    const alarms = await proposed<AlarmMember[]>(server, { field: raftField.alarm, bytes, request });
    return { header: responseHeader(server), alarms };
  });
}
