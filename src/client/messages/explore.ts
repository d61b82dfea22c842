/** Messages of our own service, which etcd does not have. Fields are named as in its .proto file. */
import { bool, inner, int64, type MessageOf, message } from "../wire/message.ts";
import { responseHeader } from "./kv.ts";

export const revisionAtRequest = message({ time_ms: int64(1) });
export type RevisionAtRequest = MessageOf<typeof revisionAtRequest>;

export const revisionAtResponse = message({
  header: inner(1, responseHeader),
  revision: int64(2),
  latest_revision: int64(3),
  is_uncertain: bool(4),
});
export type RevisionAtResponse = MessageOf<typeof revisionAtResponse>;
