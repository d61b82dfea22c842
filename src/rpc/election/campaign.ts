/** Election.Campaign: answered when the caller leads. */
import { CampaignRequestSchema, CampaignResponseSchema } from "../../gen/tables/v3electionpb/v3election.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { placeMethod } from "../places/handler.ts";
import type { Places } from "../places/places.ts";
import { notLeader } from "./errors.ts";

export function campaignHandler(places: Places): SingleRequestHandler {
  return placeMethod(CampaignRequestSchema, CampaignResponseSchema, async ({ name, lease, value }, call) => {
    const { place } = await places.turn(call, { name, lease, value }, notLeader);
    const leader = { name, key: place.key, rev: place.createRevision, lease: place.lease };
    // As etcd's: of when the place was taken.
    return { header: place.header, leader };
  });
}
