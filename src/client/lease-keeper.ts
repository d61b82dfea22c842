/** Keeps a lease alive: asks for its renewal three times in its time, over a stream that is made again when it breaks. */
import { setTimeout as delay } from "node:timers/promises";
import { errors } from "../errors/table.ts";
import type { Client } from "./client.ts";
import { ClientError } from "./client-error.ts";
import type { LeaseKeepAliveResponse } from "./messages/lease.ts";
import { leaseKeepAlive } from "./methods/lease.ts";

const retryMs = 500;

/** One renewal. Rejects with etcd's error if there is no such lease. */
export async function keepAliveOnce(client: Client, id: bigint): Promise<LeaseKeepAliveResponse> {
  const stream = await client.duplex(leaseKeepAlive);
  try {
    stream.send({ ID: id });
    const answer = await stream.next();
    if (answer === undefined) throw new Error("the stream ended without an answer");
    if (answer.TTL <= 0n) throw new ClientError(errors.leaseNotFound());
    return answer;
  } finally {
    stream.cancel();
  }
}

/** Renewals until the lease has ended or `signal` says so; each answer is passed on. Rejects if it may not go on. */
export async function* keepAlive(
  client: Client,
  id: bigint,
  signal: AbortSignal,
): AsyncGenerator<LeaseKeepAliveResponse, void, undefined> {
  let endsAt = Number.POSITIVE_INFINITY;
  while (!signal.aborted && performance.now() < endsAt) {
    try {
      for await (const answer of renewals(client, id, signal)) {
        if (answer.TTL <= 0n) return;
        endsAt = performance.now() + Number(answer.TTL) * 1000;
        yield answer;
      }
    } catch (error) {
      if (!(error instanceof ClientError) || (error.isKnown && error.code !== 14)) throw error;
    }
    await delay(retryMs, undefined, { signal }).catch(() => {});
  }
}

async function* renewals(
  client: Client,
  id: bigint,
  signal: AbortSignal,
): AsyncGenerator<LeaseKeepAliveResponse, void, undefined> {
  const stream = await client.duplex(leaseKeepAlive, { signal });
  try {
    while (!signal.aborted) {
      stream.send({ ID: id });
      const answer = await stream.next();
      if (answer === undefined) return;
      yield answer;
      if (answer.TTL <= 0n) return;
      await delay((Number(answer.TTL) * 1000) / 3, undefined, { signal }).catch(() => {});
    }
  } finally {
    stream.cancel();
  }
}
