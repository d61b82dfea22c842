/** The methods of the Maintenance service. */
import * as messages from "../messages/maintenance.ts";
import { once, repeatable, serverStream } from "./method.ts";

export const alarm = repeatable("Maintenance/Alarm", messages.alarmRequest, messages.alarmResponse);
export const status = repeatable("Maintenance/Status", messages.statusRequest, messages.statusResponse);
export const defragment = once(
  "Maintenance/Defragment",
  messages.defragmentRequest,
  messages.defragmentResponse,
);
export const hashKV = repeatable("Maintenance/HashKV", messages.hashKVRequest, messages.hashKVResponse);
export const snapshot = serverStream(
  "Maintenance/Snapshot",
  messages.snapshotRequest,
  messages.snapshotResponse,
);
export const moveLeader = repeatable(
  "Maintenance/MoveLeader",
  messages.moveLeaderRequest,
  messages.moveLeaderResponse,
);
export const downgrade = once("Maintenance/Downgrade", messages.downgradeRequest, messages.downgradeResponse);
