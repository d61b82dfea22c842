/** A lease that is kept alive while its owner is: what locks and elections hang on. */
import type { Client } from "../client.ts";
import { keepAlive } from "../lease-keeper.ts";
import { leaseGrant } from "../methods/lease.ts";

export class Session {
  readonly client: Client;
  readonly lease: bigint;
  /** Resolves when the lease has ended, or is no longer renewed. */
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();

  private constructor(client: Client, lease: bigint) {
    this.client = client;
    this.lease = lease;
    this.ended = this.#keep();
  }

  static async open(client: Client, ttlSeconds: number): Promise<Session> {
    const { ID } = await client.unary(leaseGrant, { TTL: BigInt(ttlSeconds) });
    return new Session(client, ID);
  }

  async #keep(): Promise<void> {
    try {
      for await (const _ of keepAlive(this.client, this.lease, this.#stop.signal));
    } catch {
      // It is no longer renewed, which is all that matters here.
    }
  }

  /** Stops the renewal; the lease ends by itself. */
  orphan(): void {
    this.#stop.abort();
  }
}
