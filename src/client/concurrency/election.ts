/** Elections: who campaigned first leads, with a value that all can see. */
import type { Client } from "../client.ts";
import type { RangeResponse } from "../messages/kv.ts";
import { range } from "../methods/kv.ts";
import { prefixEnd } from "../prefix-end.ts";
import { type WatchEvent, Watcher } from "../watcher.ts";
import { firstCreated, QueueEntry } from "./queue.ts";
import type { Session } from "./session.ts";

export class Election {
  readonly #entry: QueueEntry;

  constructor(session: Session, name: string) {
    this.#entry = new QueueEntry(session, name);
  }

  get key(): string {
    return this.#entry.key;
  }

  /** Waits until we lead. */
  async campaign(value: string, signal: AbortSignal): Promise<void> {
    await this.#entry.enter(value, { signal });
    try {
      await this.#entry.waitForTurn({ signal });
    } catch (error) {
      if (signal.aborted) await this.resign();
      throw error;
    }
  }

  resign(): Promise<void> {
    return this.#entry.leaveIfOwned();
  }
}

/** Each leader, and each value a leader gives itself. Ends when the watch does. */
export async function* observe(
  client: Client,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<RangeResponse, void, undefined> {
  const prefix = `${name}/`;
  while (!signal.aborted) {
    const head = await client.unary(range, firstCreated(prefix), { signal });
    const leader =
      head.kvs.length > 0 ? only(head.header, head.kvs[0]) : await firstPut(client, prefix, head, signal);
    if (leader === undefined) return;
    yield leader;
    const watcher = new Watcher(client, { requireLeader: false });
    const stop = (): void => watcher.close();
    signal.addEventListener("abort", stop, { once: true });
    try {
      const startRevision = (leader.header?.revision ?? 0n) + 1n;
      let isGone = false;
      for await (const event of watcher.watch({ key: leader.kvs[0]!.key, startRevision })) {
        for (const { type, kv } of event.events) {
          if (type === 1) isGone = true;
          if (isGone) break;
          yield only(event.header, kv);
        }
        if (isGone) break;
      }
      if (!isGone) return;
    } finally {
      signal.removeEventListener("abort", stop);
      watcher.close();
    }
  }
}

/** Nobody leads: the next one who does. */
async function firstPut(
  client: Client,
  prefix: string,
  head: RangeResponse,
  signal: AbortSignal,
): Promise<RangeResponse | undefined> {
  const watcher = new Watcher(client, { requireLeader: false });
  const stop = (): void => watcher.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const key = Buffer.from(prefix);
    const watch = watcher.watch({
      key,
      rangeEnd: prefixEnd(key),
      startRevision: head.header?.revision ?? 0n,
    });
    for await (const { error, events, header } of watch) {
      if (error !== undefined) return undefined;
      const put = events.find(({ type }) => type === 0)?.kv;
      if (put && header) return only({ ...header, revision: put.mod_revision }, put);
    }
    return undefined;
  } finally {
    signal.removeEventListener("abort", stop);
    watcher.close();
  }
}

function only(header: WatchEvent["header"], kv: RangeResponse["kvs"][number] | undefined): RangeResponse {
  return { header, kvs: kv === undefined ? [] : [kv], more: false, count: 0n };
}
