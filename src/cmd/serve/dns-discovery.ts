/** DNS discovery (`--discovery-srv`): the members of a cluster are the SRV records of a domain. */
import { type Config, ConfigError } from "../../config/config.ts";
import type { EtcdUrl } from "../../lib/etcd-url.ts";
import type { Logger } from "../../lib/logger.ts";

export interface SrvRecord {
  /** A host name, perhaps with a dot behind it. */
  readonly name: string;
  readonly port: number;
}

export interface DnsLookups {
  /** The records of `_service._tcp.domain`. Rejects if there are none. */
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** A host name to an address. */
  host(name: string): Promise<string>;
}

type DnsConfig = Pick<Config, "name" | "discoverySrv" | "discoverySrvName" | "initialAdvertisePeerUrls">;

/** Gives the cluster as in `--initial-cluster`. Rejects with a `ConfigError` when this member is not in it. */
export async function clusterFromDns(
  config: DnsConfig,
  lookups: DnsLookups,
  logger: Logger,
): Promise<string> {
  const suffix = config.discoverySrvName === "" ? "" : `-${config.discoverySrvName}`;
  const pairs: string[] = [];
  const failures: string[] = [];
  const names = { next: 0 };
  for (const [scheme, service] of [
    ["https", `etcd-server-ssl${suffix}`],
    ["http", `etcd-server${suffix}`],
  ] as const) {
    let found: string[] = [];
    let failure: string | undefined;
    try {
      found = await membersOf(config, { scheme, service, names }, lookups);
    } catch (error) {
      failure = `error querying DNS SRV records for _${service} ${(error as Error).message}`;
      failures.push(failure);
    }
    pairs.push(...found);
    logger.info(`get cluster for ${service.replace(suffix, "")} SRV`, {
      "service-scheme": scheme,
      "service-name": service,
      "server-name": config.name,
      "discovery-srv": config.discoverySrv,
      "advertise-peer-urls": config.initialAdvertisePeerUrls.map(({ href }) => href),
      "found-cluster": found,
      ...(failure !== undefined && { error: failure }),
    });
  }
  if (failures.length > 0)
    logger.warn("failed to resolve during SRV discovery", { error: failures.join("\n") });
  if (pairs.length === 0) throw new ConfigError(`error setting up initial cluster: ${failures.join("\n")}`);
  for (const node of pairs) logger.info("got bootstrap from DNS for etcd-server", { node });
  if (!pairs.some((pair) => pair.startsWith(`${config.name}=`))) {
    const quoted = JSON.stringify(config.name);
    throw new ConfigError(
      `error setting up initial cluster: cannot find local etcd member ${quoted} in SRV records`,
    );
  }
  return pairs.join(",");
}

interface Service {
  readonly scheme: "http" | "https";
  readonly service: string;
  /** Members whose names are not known are numbered, those of both services together. */
  readonly names: { next: number };
}

async function membersOf(
  config: DnsConfig,
  { scheme, service, names }: Service,
  lookups: DnsLookups,
): Promise<string[]> {
  const own = new Map<string, EtcdUrl>();
  for (const url of config.initialAdvertisePeerUrls) {
    own.set(`${await addressOf(url.hostname, lookups)} ${url.port}`, url);
  }
  const pairs: string[] = [];
  let failure: Error | undefined;
  for (const { name, port } of await lookups.srv(`_${service}._tcp.${config.discoverySrv}`)) {
    const host = name.replace(/\.$/, "");
    const url = `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
    let address: string;
    try {
      address = await addressOf(host, lookups);
    } catch (error) {
      failure = error as Error;
      continue;
    }
    const local = own.get(`${address} ${port}`);
    const member = local ? config.name : String(names.next++);
    if (local && local.scheme !== scheme) {
      failure = new Error(
        `bootstrap at ${url} from DNS for ${service} has scheme mismatch with expected peer ${local.href}`,
      );
    } else pairs.push(`${member}=${url}`);
  }
  if (pairs.length === 0 && failure) throw failure;
  return pairs;
}

const addressOf = (host: string, lookups: DnsLookups): Promise<string> =>
  host === "" ? Promise.resolve("0.0.0.0") : lookups.host(host);
