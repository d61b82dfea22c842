/** Lock.Lock: answered when the caller holds the lock. */
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import { LockRequestSchema, LockResponseSchema } from "../../gen/tables/v3lockpb/v3lock.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { placeMethod } from "../places/handler.ts";
import type { Places } from "../places/places.ts";

const sessionExpired = () => new EtcdError(GrpcCode.unknown, "mutex: session is expired");

export function lockHandler(places: Places): SingleRequestHandler {
  return placeMethod(LockRequestSchema, LockResponseSchema, async ({ name, lease }, call) => {
    const { place, header } = await places.turn(call, { name, lease, value: undefined }, sessionExpired);
    return { header, key: place.key };
  });
}
