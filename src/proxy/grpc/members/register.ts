/**
 * `--resolver-prefix`: the proxy's address as a key with a lease, in the form of etcd's naming packages, so that clients
 * and other proxies find it, and lose it when it is gone.
 */
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "../../../client/client.ts";
import { Session } from "../../../client/concurrency/session.ts";
import { put } from "../../../client/methods/kv.ts";
import { leaseRevoke } from "../../../client/methods/lease.ts";
import type { Logger } from "../../../lib/logger.ts";

const retryMs = 1_000;

export interface RegisterOptions {
  readonly client: Client;
  readonly logger: Logger;
  /** `--namespace` and `--resolver-prefix` together. */
  readonly prefix: string;
  /** `--advertise-client-url`. */
  readonly address: string;
  readonly ttlSeconds: number;
  readonly signal: AbortSignal;
}

/** Keeps the address registered until told to stop; then it takes it back. Never rejects. */
export async function keepRegistered(options: RegisterOptions): Promise<void> {
  const { client, logger, signal } = options;
  while (!signal.aborted) {
    const startedMs = performance.now();
    try {
      const session = await register(options);
      await Promise.race([session.ended, aborted(signal)]);
      session.orphan();
      if (signal.aborted) {
        await client.unary(leaseRevoke, { ID: session.lease }, { timeoutMs: retryMs }).catch(() => {});
        return;
      }
      logger.warn("session expired; possible network partition or server restart");
      logger.warn("creating a new session to rejoin");
    } catch (error) {
      if (signal.aborted) return;
      logger.warn("failed to create a session", { error: (error as Error).message });
    }
    const restMs = retryMs - (performance.now() - startedMs);
    if (restMs > 0) await delay(restMs, undefined, { signal }).catch(() => {});
  }
}

async function register({ client, logger, prefix, address, ttlSeconds, signal }: RegisterOptions) {
  const session = await Session.open(client, ttlSeconds);
  try {
    const value = { Op: 0, Addr: address, Metadata: JSON.stringify({ name: hostname() }) };
    const key = Buffer.from(`${prefix}/${address}`);
    const request = { key, value: Buffer.from(JSON.stringify(value)), lease: session.lease };
    await client.unary(put, request, { signal });
  } catch (error) {
    session.orphan();
    throw error;
  }
  logger.info("registered session with lease", { addr: address, "lease-ttl": ttlSeconds });
  return session;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
