/** Takes places for calls, waits until it is their turn, and gives up the places of those that went away. */
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import { errors } from "../../errors/table.ts";
import type { ResponseHeader } from "../../gen/etcdserverpb/rpc_pb.ts";
import type { Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { WatchHub } from "../../mvcc/watch/watch-hub.ts";
import type { GrpcCall, GrpcRoutes } from "../../transport/grpc.ts";
import { type AuthSource, callerOf } from "../caller.ts";
import { KeyWatch } from "./key-watch.ts";
import { OwnClient } from "./own-client.ts";
import { before, firstOf, leavePlace, type Place, read, takePlace } from "./place.ts";

/** Calls that may wait for their turn. */
const waitingMax = 10_000;
/** The lease of those who bring none lives for so long, as in etcd. */
const ownLeaseSeconds = 60;
/** A place that nobody wants any more stands in the way of all behind it: giving it up is tried again and again. */
const leaveAttemptsMax = 60;
const leaveAgainMs = 1_000;

/** What these services need of the server. */
export interface PlacesServer extends AuthSource {
  readonly watchHub: WatchHub;
  readonly logger: Logger;
  after(delayMs: number, callback: () => void): Timer;
}

export interface Turn {
  readonly place: Place;
  /** Of the moment at which it was certain. */
  readonly header: ResponseHeader;
}

export class Places {
  readonly #server: PlacesServer;
  readonly #routes: GrpcRoutes;
  #waiting = 0;

  constructor(server: PlacesServer, routes: GrpcRoutes) {
    this.#server = server;
    this.#routes = routes;
  }

  clientFor(call: GrpcCall): OwnClient {
    return new OwnClient(this.#routes, call);
  }

  /**
   * The same for a call that goes on for long: who makes it was asked once, and a token that ends meanwhile does not end it.
   * What the user may do is asked each time. For calls whose token was good for a request already.
   */
  async lastingClientFor(call: GrpcCall): Promise<OwnClient> {
    const caller = await callerOf(this.#server, call);
    return new OwnClient(this.#routes, call, caller?.username);
  }

  watchFor(call: GrpcCall): KeyWatch {
    const watch = new KeyWatch(this.#server.watchHub);
    call.onCancel(() => watch.close());
    return watch;
  }

  /**
   * Resolves when it is the turn of the place that `name` and `lease` make, and the lease is alive. `ended` makes the error
   * for a place that is gone before. Gives the place up when that fails, or the call is cancelled.
   */
  async turn(
    call: GrpcCall,
    asked: { readonly name: Uint8Array; readonly lease: bigint; readonly value: Uint8Array | undefined },
    ended: () => EtcdError,
  ): Promise<Turn> {
    const client = this.clientFor(call);
    const isOwnLease = asked.lease === 0n;
    const lease = isOwnLease ? (await client.grant(ownLeaseSeconds)).ID : asked.lease;
    // As etcd does. What there is to say of a lease that is not there is said when the place is taken.
    if (!isOwnLease) await client.keepAlive(lease).catch(() => {});
    // Not given up when the call is cancelled: what it did has to be known, to be undone.
    const place = await takePlace(client, { ...asked, lease });
    const lasting = await this.lastingClientFor(call).catch(() => client);
    try {
      const header = place.isFirst ? place.header : await this.#wait(lasting, call, place, ended);
      if (call.cancelled) throw errors.contextCanceled();
      return { place, header };
    } catch (error) {
      // A place that was there before, and had its turn, is somebody's lock.
      if (isOwnLease) void this.#undo(() => lasting.revoke(lease));
      else if (place.isNew || !place.isFirst) void this.#undo(() => leavePlace(lasting, place));
      throw error;
    }
  }

  async #wait(
    client: OwnClient,
    call: GrpcCall,
    place: Place,
    ended: () => EtcdError,
  ): Promise<ResponseHeader> {
    if (this.#waiting >= waitingMax) throw errors.tooManyRequests();
    this.#waiting++;
    const watch = this.watchFor(call);
    try {
      for (;;) {
        // One transaction, so that both are true at the same time: the place is still ours, and nobody is before it.
        const { responses, header } = await client.txn({
          success: [read(place.key), before(place.prefix, place.createRevision)],
        });
        if (firstOf(responses[0])?.createRevision !== place.createRevision) throw ended();
        const inFront = firstOf(responses[1]);
        if (!inFront) return await this.#certain(client, place, header!, ended);
        if (call.cancelled) throw errors.contextCanceled();
        const startRevision = Number(header!.revision) + 1;
        watch.watch([
          { key: inFront.key, startRevision, noPut: true },
          { key: place.key, startRevision, noPut: true },
        ]);
        await watch.next();
        if (call.cancelled) throw errors.contextCanceled();
      }
    } finally {
      watch.close();
      this.#waiting--;
    }
  }

  /**
   * A lease may be over and its key still be there, because ending it takes a moment: so the leader is asked for it, and then
   * whether the key is still there.
   */
  async #certain(
    client: OwnClient,
    place: Place,
    header: ResponseHeader,
    ended: () => EtcdError,
  ): Promise<ResponseHeader> {
    // Undefined if the caller may use the lease and not renew it.
    const renewed = await client.keepAlive(place.lease).catch(() => undefined);
    if (renewed === undefined) return header;
    if (renewed.TTL <= 0n) throw ended();
    const again = await client.txn({ success: [read(place.key)] });
    if (firstOf(again.responses[0])?.createRevision !== place.createRevision) throw ended();
    return again.header!;
  }

  async #undo(attempt: () => Promise<unknown>, left = leaveAttemptsMax): Promise<void> {
    try {
      await attempt();
    } catch (error) {
      const { message } = EtcdError.from(error);
      // Its lease has ended, and the place with it.
      if (message === errors.leaseNotFound.text) return;
      if (left > 1) this.#server.after(leaveAgainMs, () => void this.#undo(attempt, left - 1));
      else this.#server.logger.warn("failed to give up a place in a queue", { error: message });
    }
  }
}

/** etcd answers whatever goes wrong inside of these services with Unknown, and with the text of what went wrong. */
export function asUnknown(error: unknown): EtcdError {
  const { message } = EtcdError.from(error);
  return new EtcdError(GrpcCode.unknown, message);
}
