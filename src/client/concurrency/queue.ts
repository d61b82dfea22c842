/** Keys under a prefix as a queue: whoever's key was created first is at its head. */
import type { Client, RequestOptions } from "../client.ts";
import type { KeyValue, TxnResponse } from "../messages/kv.ts";
import { deleteRange, range, txn } from "../methods/kv.ts";
import { prefixEnd } from "../prefix-end.ts";
import { Watcher } from "../watcher.ts";
import type { Session } from "./session.ts";

const equal = 0;
const createTarget = 1;
const ascend = 1;
const descend = 2;

const utf8 = (text: string): Uint8Array => Buffer.from(text);

/** Whoever is at the head, by `order` of creation. */
function byCreation(prefix: string, order: number, maxCreateRevision = 0n) {
  const key = utf8(prefix);
  return {
    key,
    range_end: prefixEnd(key),
    limit: 1n,
    sort_order: order,
    sort_target: 2,
    max_create_revision: maxCreateRevision,
  };
}

export const firstCreated = (prefix: string) => byCreation(prefix, ascend);

export class QueueEntry {
  readonly prefix: string;
  readonly key: string;
  readonly #session: Session;
  /** The revision the key was created at; 0 while it is not. */
  createRevision = 0n;

  constructor(session: Session, name: string) {
    this.#session = session;
    this.prefix = `${name}/`;
    this.key = this.prefix + session.lease.toString(16);
  }

  /** Creates the key, unless it is there; and reads the head of the queue. */
  async enter(
    value: string,
    options: RequestOptions,
  ): Promise<{ answer: TxnResponse; head: KeyValue | undefined }> {
    const key = utf8(this.key);
    const head = { request_range: firstCreated(this.prefix) };
    const answer = await this.#session.client.unary(
      txn,
      {
        compare: [{ result: equal, target: createTarget, key, create_revision: 0n }],
        success: [{ request_put: { key, value: utf8(value), lease: this.#session.lease } }, head],
        failure: [{ request_range: { key } }, head],
      },
      options,
    );
    this.createRevision = answer.succeeded
      ? (answer.header?.revision ?? 0n)
      : (answer.responses[0]?.response_range?.kvs[0]?.create_revision ?? 0n);
    return { answer, head: answer.responses[1]?.response_range?.kvs[0] };
  }

  /** Waits until all keys that were created earlier are gone. Watches only the last of them. */
  async waitForTurn(options: RequestOptions): Promise<void> {
    const { client } = this.#session;
    for (;;) {
      const earlier = byCreation(this.prefix, descend, this.createRevision - 1n);
      const { kvs, header } = await client.unary(range, earlier, options);
      const [last] = kvs;
      if (last === undefined) return;
      await waitForDeletion(client, last.key, header?.revision ?? 0n, options.signal);
    }
  }

  /** Gives the place up. */
  async leave(): Promise<void> {
    if (this.createRevision === 0n) return;
    await this.#session.client.unary(deleteRange, { key: utf8(this.key) });
    this.createRevision = 0n;
  }

  /** As `leave`, but only if the key is still the one that was created. */
  async leaveIfOwned(): Promise<void> {
    if (this.createRevision === 0n) return;
    const key = utf8(this.key);
    const compare = [{ result: equal, target: createTarget, key, create_revision: this.createRevision }];
    await this.#session.client.unary(txn, { compare, success: [{ request_delete_range: { key } }] });
    this.createRevision = 0n;
  }
}

async function waitForDeletion(
  client: Client,
  key: Uint8Array,
  startRevision: bigint,
  signal: AbortSignal | undefined,
): Promise<void> {
  const watcher = new Watcher(client, { requireLeader: false });
  const stop = (): void => watcher.close();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    for await (const { events, error } of watcher.watch({ key, startRevision })) {
      if (error !== undefined) throw new Error(error);
      if (events.some(({ type }) => type === 1)) return;
    }
    throw new Error(signal?.aborted ? "context canceled" : "lost watcher waiting for delete");
  } finally {
    signal?.removeEventListener("abort", stop);
    watcher.close();
  }
}
