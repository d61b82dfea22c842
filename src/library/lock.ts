/** A lock that one holder in the whole cluster has: the same as `etcdctl lock`'s and Go's concurrency.Mutex, by its keys. */
import type { Client } from "../client/client.ts";
import { Mutex } from "../client/concurrency/mutex.ts";
import { Session } from "../client/concurrency/session.ts";
import { leaseRevoke } from "../client/methods/lease.ts";

export interface LockOptions {
  /** The lock is free so long after its holder is gone without a word. Default: 60. */
  readonly ttlSeconds?: number;
  /** Gives up waiting. */
  readonly signal?: AbortSignal;
}

const defaultTtlSeconds = 60;

export class HeldLock implements AsyncDisposable {
  readonly #session: Session;
  readonly #mutex: Mutex;
  #released: Promise<void> | undefined;

  private constructor(session: Session, mutex: Mutex) {
    this.#session = session;
    this.#mutex = mutex;
  }

  /** Waits until it is ours. Rejects, with nothing left behind, if `signal` says so. */
  static async get(client: Client, name: string, options: LockOptions): Promise<HeldLock> {
    const { ttlSeconds = defaultTtlSeconds, signal } = options;
    signal?.throwIfAborted();
    const session = await Session.open(client, ttlSeconds);
    const lock = new HeldLock(session, new Mutex(session, name));
    try {
      await lock.#mutex.lock(signal);
      return lock;
    } catch (error) {
      // What holds it was never told, and the lease ends by itself if this fails, too.
      await lock.#end().catch(() => {});
      signal?.throwIfAborted();
      throw error;
    }
  }

  /** The key that is there as long as the lock is held: compare its create revision to be safe against having lost it. */
  get key(): string {
    return this.#mutex.key;
  }

  /** The store's revision when the lock was got: a fencing token. */
  get revision(): bigint {
    return this.#mutex.revision;
  }

  /** Resolves when the lock is held no longer: released, or its lease could not be renewed. */
  get lost(): Promise<void> {
    return this.#session.ended;
  }

  /** Lets the next have it. */
  release(): Promise<void> {
    this.#released ??= this.#end();
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #end(): Promise<void> {
    this.#session.orphan();
    // The key goes with it.
    await this.#session.client.unary(leaseRevoke, { ID: this.#session.lease });
  }
}
