/** Leases: keys that go by themselves when nobody renews them. */
import type { Client, RequestOptions } from "../client/client.ts";
import * as methods from "../client/methods/lease.ts";

export class Leases {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Gives the id of a new lease. */
  async grant(ttlSeconds: number, options: RequestOptions = {}): Promise<bigint> {
    return (await this.#client.unary(methods.leaseGrant, { TTL: BigInt(ttlSeconds) }, options)).ID;
  }

  /** Ends a lease, and deletes its keys. */
  async revoke(id: bigint, options: RequestOptions = {}): Promise<void> {
    await this.#client.unary(methods.leaseRevoke, { ID: id }, options);
  }

  /** Renews a lease once. Gives its seconds: 0 if it has ended. */
  async keepAliveOnce(id: bigint, options: RequestOptions = {}): Promise<number> {
    const stream = await this.#client.duplex(methods.leaseKeepAlive, options);
    try {
      stream.send({ ID: id });
      return Number((await stream.next())?.TTL ?? 0n);
    } finally {
      stream.cancel();
    }
  }

  /** The seconds that are left; negative if there is no such lease. */
  async timeToLive(id: bigint, options: RequestOptions = {}): Promise<number> {
    return Number((await this.#client.unary(methods.leaseTimeToLive, { ID: id }, options)).TTL);
  }
}
