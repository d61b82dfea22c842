/** Maintenance.MoveLeader: only the leader can hand over. */
import { errors } from "../../errors/table.ts";
import { MoveLeaderRequestSchema, MoveLeaderResponseSchema } from "../../gen/tables/etcdserverpb/rpc.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { unaryMessages } from "../handler.ts";
import type { MembersService } from "../rpc-server.ts";

export function moveLeaderHandler(server: MembersService): SingleRequestHandler {
  return unaryMessages(MoveLeaderRequestSchema, MoveLeaderResponseSchema, async ({ targetID }) => {
    if (!server.isLeader) throw errors.notLeader();
    await server.moveLeader(targetID as MemberId);
    return {};
  });
}
