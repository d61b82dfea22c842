/**
 * What must stop a start as long as it is not there, because going on without it would do something else than was
 * asked for. Whoever builds one of these takes its lines away.
 */
import { type Config, ConfigError } from "./config.ts";

/** Throws a `ConfigError`. For the first start of a member, when it would have to find others. */
export function refuseDiscovery(config: Config): void {
  if (config.discoveryEndpoints.length > 0 || config.discoverySrv !== "") {
    throw new ConfigError("discovery comes with a later version: name the members with --initial-cluster");
  }
}
