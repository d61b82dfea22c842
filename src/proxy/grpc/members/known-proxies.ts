/** The proxies that have registered themselves under the same prefix, kept up to date by a watch. */
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "../../../client/client.ts";
import { range } from "../../../client/methods/kv.ts";
import { prefixEnd } from "../../../client/prefix-end.ts";
import { Watcher } from "../../../client/watcher.ts";
import type { Logger } from "../../../lib/logger.ts";

const retryMs = 1_000;

export interface KnownProxy {
  readonly name: string;
  readonly address: string;
}

export interface KnownProxiesOptions {
  readonly client: Client;
  readonly logger: Logger;
  /** `--namespace` and `--resolver-prefix` together. */
  readonly prefix: string;
  readonly signal: AbortSignal;
}

export class KnownProxies {
  readonly #options: KnownProxiesOptions;
  readonly #byKey = new Map<string, KnownProxy>();

  constructor(options: KnownProxiesOptions) {
    this.#options = options;
  }

  get all(): readonly KnownProxy[] {
    return [...this.#byKey.values()];
  }

  /** Follows them until told to stop. Never rejects. */
  async follow(): Promise<void> {
    const { signal, logger, prefix } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#followOnce();
      } catch (error) {
        if (signal.aborted) return;
        logger.warn("failed to establish endpoint watch", { prefix, error: (error as Error).message });
      }
      await delay(retryMs, undefined, { signal }).catch(() => {});
    }
  }

  async #followOnce(): Promise<void> {
    const { client, signal, prefix } = this.#options;
    const key = Buffer.from(`${prefix}/`);
    const rangeEnd = prefixEnd(key);
    const { kvs, header } = await client.unary(range, { key, range_end: rangeEnd }, { signal });
    this.#byKey.clear();
    for (const kv of kvs) this.#set(kv.key, kv.value);
    const watcher = new Watcher(client, { requireLeader: false });
    const close = (): void => watcher.close();
    signal.addEventListener("abort", close, { once: true });
    try {
      const watch = watcher.watch({ key, rangeEnd, startRevision: (header?.revision ?? 0n) + 1n });
      for await (const { events } of watch) {
        for (const { type, kv } of events) {
          if (kv === undefined) continue;
          if (type === 0) this.#set(kv.key, kv.value);
          else this.#byKey.delete(nameOf(kv.key));
        }
      }
    } finally {
      signal.removeEventListener("abort", close);
      watcher.close();
    }
  }

  /** What somebody else has put there is left aside. */
  #set(key: Uint8Array, value: Uint8Array): void {
    try {
      const { Addr, Metadata } = JSON.parse(Buffer.from(value).toString()) as Record<string, unknown>;
      const name = typeof Metadata === "string" ? (JSON.parse(Metadata) as { name?: unknown }).name : "";
      this.#byKey.set(nameOf(key), { address: String(Addr ?? ""), name: String(name ?? "") });
    } catch {
      this.#byKey.delete(nameOf(key));
    }
  }
}

const nameOf = (key: Uint8Array): string => Buffer.from(key).toString("latin1");
