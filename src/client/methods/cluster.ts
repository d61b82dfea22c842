/** The methods of the Cluster service. */
import * as messages from "../messages/cluster.ts";
import { once, repeatable } from "./method.ts";

export const memberAdd = once("Cluster/MemberAdd", messages.memberAddRequest, messages.memberAddResponse);
export const memberRemove = once(
  "Cluster/MemberRemove",
  messages.memberRemoveRequest,
  messages.memberRemoveResponse,
);
export const memberUpdate = once(
  "Cluster/MemberUpdate",
  messages.memberUpdateRequest,
  messages.memberUpdateResponse,
);
export const memberList = repeatable(
  "Cluster/MemberList",
  messages.memberListRequest,
  messages.memberListResponse,
);
export const memberPromote = once(
  "Cluster/MemberPromote",
  messages.memberPromoteRequest,
  messages.memberPromoteResponse,
);
