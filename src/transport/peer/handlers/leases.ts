/**
 * POST /leases and /leases/internal: a lease's keep-alive and its remaining time, passed on by members that do not lead.
 */
import { create, fromBinary, toBinary } from "../../../codec/messages.ts";
import {
  LeaseKeepAliveRequestSchema,
  LeaseKeepAliveResponseSchema,
} from "../../../gen/tables/etcdserverpb/rpc.ts";
import {
  LeaseInternalRequestSchema,
  LeaseInternalResponseSchema,
} from "../../../gen/tables/leasepb/lease.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { LeaseId } from "../../../lib/ids.ts";
import type { LeaseRefusal, LeaseSource } from "../contracts.ts";
import type { Exchange } from "../http1/exchange.ts";
import type { PeerLimits } from "../limits.ts";

export const leasesPath = "/leases";
export const leasesInternalPath = "/leases/internal";
/** etcd's words for what can go wrong. */
export const leaseTexts = {
  behind: "waiting for node to catch up its applied index has timed out",
  notFound: "lease not found",
  notPrimary: "not a primary lessor",
} as const;

interface LeaseContext {
  readonly source: LeaseSource;
  readonly clock: Clock;
  readonly limits: PeerLimits;
}

export async function handleLeases(exchange: Exchange, context: LeaseContext): Promise<void> {
  if (exchange.method !== "POST") {
    exchange.refuse(405, "Method Not Allowed");
    return;
  }
  let body: Uint8Array;
  try {
    body = await exchange.readBody(context.limits.smallBodyBytes);
  } catch (error) {
    if ((error as Error).message === "request body too large") exchange.refuse(413, "request body too large");
    else exchange.refuse(400, "error reading body");
    return;
  }
  if (exchange.path === leasesPath) await renew(exchange, context, body);
  else await timeToLive(exchange, context, body);
}

async function renew(exchange: Exchange, context: LeaseContext, body: Uint8Array): Promise<void> {
  const request = decoded(exchange, () => fromBinary(LeaseKeepAliveRequestSchema, body));
  if (request === undefined || !(await caughtUp(exchange, context))) return;
  const renewed = await context.source.renew(request.ID as LeaseId);
  if (typeof renewed === "string") {
    refuse(exchange, renewed, 400);
    return;
  }
  const response = create(LeaseKeepAliveResponseSchema, { ID: request.ID, TTL: BigInt(renewed.ttlSeconds) });
  answer(exchange, toBinary(LeaseKeepAliveResponseSchema, response));
}

async function timeToLive(exchange: Exchange, context: LeaseContext, body: Uint8Array): Promise<void> {
  const request = decoded(exchange, () => fromBinary(LeaseInternalRequestSchema, body));
  if (request === undefined || !(await caughtUp(exchange, context))) return;
  const { ID = 0n, keys = false } = request.LeaseTimeToLiveRequest ?? {};
  const found = await context.source.timeToLive(ID as LeaseId, keys);
  if (typeof found === "string") {
    refuse(exchange, found, 500);
    return;
  }
  const LeaseTimeToLiveResponse = {
    header: {},
    ID,
    TTL: BigInt(found.ttlSeconds),
    grantedTTL: BigInt(found.grantedTtlSeconds),
    keys: [...found.keys],
  };
  const response = create(LeaseInternalResponseSchema, { LeaseTimeToLiveResponse });
  answer(exchange, toBinary(LeaseInternalResponseSchema, response));
}

/** What `decode` gives, or undefined, and answered with 400, if the bytes are no such message. */
function decoded<T>(exchange: Exchange, decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    exchange.refuse(400, "error unmarshalling request");
    return undefined;
  }
}

/** False, and answered with 408, if this member does not catch up in time. */
function caughtUp(exchange: Exchange, { source, clock, limits }: LeaseContext): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.after(limits.leaseWaitMs, () => {
      exchange.refuse(408, leaseTexts.behind);
      resolve(false);
    });
    source.whenCaughtUp(() => {
      timer.cancel();
      resolve(!exchange.isAnswered);
    });
  });
}

function refuse(exchange: Exchange, why: LeaseRefusal, notPrimaryStatus: number): void {
  if (why === "not found") exchange.refuse(404, leaseTexts.notFound);
  else exchange.refuse(notPrimaryStatus, leaseTexts.notPrimary);
}

function answer(exchange: Exchange, body: Uint8Array): void {
  exchange.respond(200, { "Content-Type": "application/protobuf" }, body);
}
