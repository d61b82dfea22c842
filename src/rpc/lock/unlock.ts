/** Lock.Unlock. Whose lock it is is not asked, as in etcd: who may delete the key may let go of the lock. */
import { UnlockRequestSchema, UnlockResponseSchema } from "../../gen/tables/v3lockpb/v3lock.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { placeMethod } from "../places/handler.ts";
import type { Places } from "../places/places.ts";

export function unlockHandler(places: Places): SingleRequestHandler {
  return placeMethod(UnlockRequestSchema, UnlockResponseSchema, async ({ key }, call) => {
    const { header } = await places.clientFor(call).deleteRange({ key });
    return { header: header! };
  });
}
