/** The servers behind the gateway, from DNS. */
import { resolveSrv } from "node:dns/promises";
import type { Endpoint } from "./remotes.ts";

export interface DiscoveredEndpoint extends Endpoint {
  readonly isSecure: boolean;
}

/**
 * The SRV records of etcd's client services in `domain`: those for TLS, and, if `insecure`, the others. Rejects if there
 * are none.
 */
export async function discoverEndpoints(
  domain: string,
  serviceName: string,
  insecure: boolean,
): Promise<DiscoveredEndpoint[]> {
  const suffix = serviceName === "" ? "" : `-${serviceName}`;
  const services = [`_etcd-client-ssl${suffix}`, ...(insecure ? [`_etcd-client${suffix}`] : [])];
  const found: DiscoveredEndpoint[] = [];
  const problems: string[] = [];
  for (const service of services) {
    try {
      const isSecure = service.startsWith("_etcd-client-ssl");
      for (const { name, port, priority, weight } of await resolveSrv(`${service}._tcp.${domain}`))
        found.push({ host: name.replace(/\.$/, ""), port, priority, weight, isSecure });
    } catch (error) {
      problems.push(`${service}._tcp.${domain}: ${(error as Error).message}`);
    }
  }
  if (found.length === 0) throw new Error(`no endpoints in ${domain}: ${problems.join("; ")}`);
  return found;
}
