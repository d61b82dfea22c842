/** The servers of a cluster, for its clients, from DNS: the SRV records of etcd's client services in a domain. */
import { lookupSrv } from "../../runtime/lookup-srv.ts";

export interface DiscoveredServer {
  readonly host: string;
  readonly port: number;
  /** The lowest is taken first. */
  readonly priority: number;
  readonly weight: number;
  readonly isSecure: boolean;
}

/** Those for TLS before the others. Rejects if there are none of either, in etcd's words. `dnsServers` are the system's. */
export async function discoverServers(
  domain: string,
  serviceName: string,
  dnsServers?: readonly string[],
): Promise<DiscoveredServer[]> {
  const suffix = serviceName === "" ? "" : `-${serviceName}`;
  const found: DiscoveredServer[] = [];
  const problems: string[] = [];
  for (const [service, isSecure] of [
    [`_etcd-client-ssl${suffix}`, true],
    [`_etcd-client${suffix}`, false],
  ] as const) {
    try {
      for (const { name, ...record } of await lookupSrv(`${service}._tcp.${domain}`, dnsServers))
        found.push({ host: name.replace(/\.$/, ""), ...record, isSecure });
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  if (found.length === 0) throw new Error(`dns lookup errors: ${problems.join(" and ")}`);
  return found;
}

export const urlOfServer = ({ host, port, isSecure }: DiscoveredServer): string =>
  `${isSecure ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
