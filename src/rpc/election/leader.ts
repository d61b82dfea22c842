/** Election.Leader: who leads now. */
import { LeaderRequestSchema, LeaderResponseSchema } from "../../gen/tables/v3electionpb/v3election.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { placeMethod } from "../places/handler.ts";
import { firstOf, oldest, prefixOf } from "../places/place.ts";
import type { Places } from "../places/places.ts";
import { noLeader } from "./errors.ts";

export function leaderHandler(places: Places): SingleRequestHandler {
  return placeMethod(LeaderRequestSchema, LeaderResponseSchema, async ({ name }, call) => {
    const { responses, header } = await places.clientFor(call).txn({ success: [oldest(prefixOf(name))] });
    const kv = firstOf(responses[0]);
    if (!kv) throw noLeader();
    return { header: header!, kv };
  });
}
