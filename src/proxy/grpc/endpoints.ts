/** Which servers are behind the proxy: named, found in DNS, or told by the cluster now and then. */
import type { Client } from "../../client/client.ts";
import { urlOfServer } from "../../client/discovery/client-servers.ts";
import { memberList } from "../../client/methods/cluster.ts";
import type { FlagValues } from "../../lib/command-line/flags.ts";
import type { Logger } from "../../lib/logger.ts";
import { discoveredServers } from "../discovered-servers.ts";

const syncTimeoutMs = 5_000;

/** Rejects if there are none. */
export async function endpointsFrom(flags: FlagValues): Promise<readonly string[]> {
  const domain = flags.string("discovery-srv");
  if (domain === "") {
    const named = flags.strings("endpoints").filter((endpoint) => endpoint !== "");
    if (named.length === 0) throw new Error("etcdclient: no available endpoints");
    return named;
  }
  return (await discoveredServers(flags)).map(urlOfServer);
}

/** `--endpoints-auto-sync-interval`. Gives what ends it. */
export function keepInSync(client: Client, intervalMs: number, logger: Logger): () => void {
  if (intervalMs <= 0) return () => {};
  const sync = async (): Promise<void> => {
    try {
      const { members } = await client.unary(memberList, {}, { timeoutMs: syncTimeoutMs });
      const urls = members.filter(({ isLearner }) => !isLearner).flatMap(({ clientURLs }) => clientURLs);
      if (urls.length === 0) return;
      const before = client.channel.endpoints.toSorted().join();
      client.channel.setEndpoints(urls);
      if (urls.toSorted().join() !== before) logger.info("updated endpoints", { endpoints: urls });
    } catch (error) {
      logger.info("Auto sync endpoints failed.", { error: (error as Error).message });
    }
  };
  void sync();
  const timer = setInterval(() => void sync(), intervalMs);
  return () => clearInterval(timer);
}
