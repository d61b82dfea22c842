/** A lock that only one session holds at a time. */
import { range } from "../methods/kv.ts";
import { QueueEntry } from "./queue.ts";
import type { Session } from "./session.ts";

export class Mutex {
  readonly #session: Session;
  readonly #entry: QueueEntry;
  /** The store's revision when the lock was got. */
  revision = 0n;

  constructor(session: Session, name: string) {
    this.#session = session;
    this.#entry = new QueueEntry(session, name);
  }

  get key(): string {
    return this.#entry.key;
  }

  /** Waits until it is ours. Rejects, without a key left behind, if `signal` says so. */
  async lock(signal?: AbortSignal): Promise<void> {
    const { answer, head } = await this.#entry.enter("", { signal });
    if (head === undefined || head.create_revision === this.#entry.createRevision) {
      this.revision = answer.header?.revision ?? 0n;
      return;
    }
    try {
      await this.#entry.waitForTurn({ signal });
      const { kvs, header } = await this.#session.client.unary(
        range,
        { key: Buffer.from(this.key) },
        { signal },
      );
      if (kvs.length === 0) throw new Error("mutex: session is expired");
      this.revision = header?.revision ?? 0n;
    } catch (error) {
      await this.unlock();
      throw error;
    }
  }

  unlock(): Promise<void> {
    return this.#entry.leave();
  }
}
