/**
 * v3 discovery: a member of a new cluster registers at a discovery service, waits until as many have as the cluster is to
 * have members, and learns from there who they are. Whoever keeps the service has put the size there before.
 */
import type { Logger } from "../../lib/logger.ts";
import { memberKey, membersPrefix, type RegisteredMember, Registry, sizeKey } from "./registry.ts";
import type { DiscoveryService } from "./service.ts";

export interface JoinOptions {
  readonly service: DiscoveryService;
  readonly token: string;
  /** This member's id, in hexadecimal. */
  readonly id: string;
  /** `name=URL,name=URL`: its peer URLs. */
  readonly urls: string;
  readonly logger: Logger;
  readonly sleep: (ms: number) => Promise<void>;
}

interface Found {
  readonly registry: Registry;
  readonly size: number;
  readonly revision: bigint;
}

/** After the first failure, in milliseconds; each time twice as long, up to the last. */
const backoff = { firstMs: 2_000, maxMs: 256_000 } as const;

/** Gives the cluster as in `--initial-cluster`. Rejects with etcd's words when it is full, or the service knows no size. */
export async function joinByDiscovery(options: JoinOptions): Promise<string> {
  const { logger } = options;
  try {
    const discovery = new Discovery(options);
    await discovery.check();
    await discovery.register();
    const found = await discovery.check();
    await discovery.waitForAll(found);
    const cluster = found.registry.initialCluster(found.size);
    logger.info("discovery joined cluster successfully", { cluster });
    return cluster;
  } catch (error) {
    logger.error("discovery failed to join cluster", { cluster: "", error: (error as Error).message });
    throw error;
  }
}

/** The size in the service is none, or not there: no use in asking again. */
class BadSize extends Error {}

class Discovery {
  readonly #options: JoinOptions;
  #waitMs: number = backoff.firstMs;

  constructor(options: JoinOptions) {
    this.#options = options;
  }

  /** Asks until there is an answer. Rejects if there is no place for this member. */
  async check(): Promise<Found> {
    const { token, id } = this.#options;
    const size = await this.#persist("cluster status check", () => this.#size());
    const found = await this.#persist("cluster status check", () => this.#members(size));
    if (found.registry.isFullFor(memberKey(token, id), size)) throw new Error("discovery: cluster is full");
    return found;
  }

  async register(): Promise<void> {
    const { service, token, id, urls, logger } = this.#options;
    const key = memberKey(token, id);
    await this.#persist("register member itself", () => service.put(key, urls));
    logger.info("register member itself successfully", { memberKey: key, memberInfo: urls });
  }

  async waitForAll({ registry, size, revision }: Found): Promise<void> {
    const { service, token, logger } = this.#options;
    const counts = () => ({ clusterSize: size, "found-peers": registry.count });
    if (registry.count >= size) return;
    logger.info("waiting for peers from discovery service", counts());
    await this.#persist("wait for peers", async () => {
      // From the same revision each time: whoever is known already is not counted twice.
      for await (const member of service.changes(membersPrefix(token), revision + 1n)) {
        this.#add(registry, member);
        if (registry.count >= size) return;
      }
      throw new Error("the watch ended");
    });
    logger.info("found all needed peers from discovery service", counts());
  }

  async #size(): Promise<number> {
    const { service, token, logger } = this.#options;
    const key = sizeKey(token);
    let text: string | undefined;
    try {
      text = await service.get(key);
    } catch (error) {
      const fields = { clusterSizeKey: key, error: (error as Error).message };
      logger.warn("failed to get cluster size from discovery service", fields);
      throw error;
    }
    if (text === undefined) throw new BadSize("discovery: size key not found");
    if (!/^\+?0*[1-9]\d{0,8}$/.test(text)) throw new BadSize("discovery: size key is bad");
    return Number(text);
  }

  async #members(size: number): Promise<Found> {
    const { service, token } = this.#options;
    const { members, revision } = await service.list(membersPrefix(token));
    const registry = new Registry();
    for (const member of members) this.#add(registry, member);
    return { registry, size, revision };
  }

  #add(registry: Registry, member: RegisteredMember): void {
    const { logger } = this.#options;
    const fields = { memberKey: member.key, memberInfo: member.urls };
    const refusal = registry.add(member);
    if (refusal === undefined) logger.info("found peer from discovery service", fields);
    else logger.warn(refusal, fields);
  }

  async #persist<T>(step: string, attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const result = await attempt();
        this.#waitMs = backoff.firstMs;
        return result;
      } catch (error) {
        if (error instanceof BadSize) throw error;
        const waitMs = this.#waitMs;
        this.#waitMs = Math.min(backoff.maxMs, 2 * waitMs);
        this.#options.logger.warn("retry connecting to discovery service", {
          reason: step,
          backoff: `${waitMs / 1000}s`,
          error: (error as Error).message,
        });
        await this.#options.sleep(waitMs);
      }
    }
  }
}
