/**
 * What must stop a start as long as it is not there, because going on without it would do something else than was
 * asked for. Whoever builds one of these takes its lines away.
 */
import type { EtcdUrl } from "../lib/etcd-url.ts";
import { type Config, ConfigError } from "./config.ts";

const secure = (url: EtcdUrl): boolean => url.scheme === "https" || url.scheme === "unixs";

/** Throws a `ConfigError`. For any start. */
export function refuseUnfinished(config: Config): void {
  const listeners = [
    ...config.listenClientUrls,
    ...config.listenPeerUrls,
    ...config.listenClientHttpUrls,
    ...config.listenMetricsUrls,
  ];
  const withTls = listeners.find(secure);
  if (withTls) throw new ConfigError(`cannot listen on ${withTls.href}: TLS comes with a later version`);
}

/** Throws a `ConfigError`. For the first start of a member, when it would have to find others. */
export function refuseDiscovery(config: Config): void {
  if (config.discoveryEndpoints.length > 0 || config.discoverySrv !== "") {
    throw new ConfigError("discovery comes with a later version: name the members with --initial-cluster");
  }
}
