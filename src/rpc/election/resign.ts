/** Election.Resign. Who does not lead any more has nothing to resign from, and is told that it went well, as in etcd. */
import { ResignRequestSchema, ResignResponseSchema } from "../../gen/tables/v3electionpb/v3election.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { placeMethod } from "../places/handler.ts";
import { createdAt } from "../places/place.ts";
import type { Places } from "../places/places.ts";
import { missingLeaderKey } from "./errors.ts";

export function resignHandler(places: Places): SingleRequestHandler {
  return placeMethod(ResignRequestSchema, ResignResponseSchema, async ({ leader }, call) => {
    if (!leader) throw missingLeaderKey();
    const { key, rev } = leader;
    const { header } = await places.clientFor(call).txn({
      compare: [createdAt(key, rev)],
      success: [{ request: { case: "requestDeleteRange", value: { key } } }],
    });
    return { header: header! };
  });
}
