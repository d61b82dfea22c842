/** Election.Proclaim: the leader's new value, without an election. */
import { ProclaimRequestSchema, ProclaimResponseSchema } from "../../gen/tables/v3electionpb/v3election.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { placeMethod } from "../places/handler.ts";
import { createdAt } from "../places/place.ts";
import type { Places } from "../places/places.ts";
import { missingLeaderKey, notLeader } from "./errors.ts";

export function proclaimHandler(places: Places): SingleRequestHandler {
  return placeMethod(ProclaimRequestSchema, ProclaimResponseSchema, async ({ leader, value }, call) => {
    if (!leader) throw missingLeaderKey();
    const { key, rev, lease } = leader;
    // etcd would give the key a lease of its own and forget about it; ours keeps the one that it has.
    const put = { key, value, lease, ignoreLease: lease === 0n };
    const { succeeded, header } = await places.clientFor(call).txn({
      compare: [createdAt(key, rev)],
      success: [{ request: { case: "requestPut", value: put } }],
    });
    if (!succeeded) throw notLeader();
    return { header: header! };
  });
}
