// Written by .ci/make/message-tables.ts from mvccpb/kv.proto: `npm run gen`.

import type { EnumTable, MessageTable } from "../../../codec/message-table.ts";
import type * as pb from "../../mvccpb/kv_pb.ts";

export type KeyValue = pb.KeyValue;
export type Event = pb.Event;

export const Event_EventType: typeof pb.Event_EventType = { PUT: 0, DELETE: 1 };
export type Event_EventType = pb.Event_EventType;
export const Event_EventTypeSchema: EnumTable = { kind: "enum", numbers: { PUT: 0, DELETE: 1 } };

export const KeyValueSchema: MessageTable<typeof pb.KeyValueSchema> = {
  kind: "message",
  typeName: "mvccpb.KeyValue",
  rows: () => [
    [1, "key", "bytes"],
    [2, "create_revision", "int64"],
    [3, "mod_revision", "int64"],
    [4, "version", "int64"],
    [5, "value", "bytes"],
    [6, "lease", "int64"],
  ],
};

export const EventSchema: MessageTable<typeof pb.EventSchema> = {
  kind: "message",
  typeName: "mvccpb.Event",
  rows: () => [
    [1, "type", Event_EventTypeSchema],
    [2, "kv", KeyValueSchema],
    [3, "prev_kv", KeyValueSchema],
  ],
};
