/** `--discovery-srv` of both proxies: the servers behind them, from DNS. */
import { type DiscoveredServer, discoverServers } from "../client/discovery/client-servers.ts";
import type { FlagValues } from "../lib/command-line/flags.ts";

/** Those for TLS, and with --insecure-discovery the others. Rejects if there are none. */
export async function discoveredServers(flags: FlagValues): Promise<DiscoveredServer[]> {
  const domain = flags.string("discovery-srv");
  const all = await discoverServers(domain, flags.string("discovery-srv-name"));
  const found = flags.bool("insecure-discovery") ? all : all.filter(({ isSecure }) => isSecure);
  if (found.length === 0) throw new Error(`no endpoints for TLS in ${domain}`);
  return found;
}
