/** Whom a new member begins a cluster with, from the flags, from DNS, or from a discovery service. */
import { readFile } from "node:fs/promises";
import type { ConnectionOptions } from "node:tls";
import { Client } from "../../client/client.ts";
import { joinByDiscovery } from "../../client/discovery/join.ts";
import { discoveryService } from "../../client/discovery/service.ts";
import {
  checkExistingCluster,
  checkNewCluster,
  formatInitialCluster,
  type InitialCluster,
  parseInitialCluster,
} from "../../config/bootstrap.ts";
import { type Config, ConfigError } from "../../config/config.ts";
import type { Logger } from "../../lib/logger.ts";
import { computeMemberId, formatId } from "../../membership/member.ts";
import { lookupSrv } from "../../runtime/lookup-srv.ts";
import { resolveHost } from "../../runtime/resolve-host.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import { sha1 } from "../../server/members/founding-members.ts";
import { clusterFromDns } from "./dns-discovery.ts";

/** A cluster that is discovered has the token of its discovery. */
export const clusterTokenOf = (config: Config): string =>
  config.discoveryEndpoints.length > 0 ? config.discoveryToken : config.initialClusterToken;

/** Rejects with a `ConfigError`. */
export async function initialClusterOf(config: Config, logger: Logger): Promise<InitialCluster> {
  const joins = config.initialClusterState === "existing";
  const byService = config.discoveryEndpoints.length > 0;
  const byDns = config.discoverySrv !== "";
  const log = logger.at("cmd/serve/discover.ts");
  let initialCluster = config.initialCluster;
  if (byDns) initialCluster = await clusterFromDns(config, { srv: lookupSrv, host: resolveHost }, log);
  else if (byService) initialCluster = ownCluster(config);
  if (joins) return checkExistingCluster({ ...config, initialCluster });
  const cluster = await checkNewCluster({ ...config, initialCluster }, resolveHost);
  return byService ? await discover(config, cluster, log) : cluster;
}

const ownCluster = ({ name, initialAdvertisePeerUrls }: Config): string =>
  formatInitialCluster(new Map([[name, initialAdvertisePeerUrls]]));

async function discover(config: Config, own: InitialCluster, logger: Logger): Promise<InitialCluster> {
  logger.info("Bootstrapping cluster using v3 discovery.");
  const token = clusterTokenOf(config);
  const peerUrls = [...own.values()].flat().map(({ href }) => href);
  const client = await connect(config);
  try {
    const text = await joinByDiscovery({
      service: discoveryService(client, config.discoveryRequestTimeoutMs),
      token,
      id: formatId(computeMemberId(sha1, peerUrls, token)),
      urls: formatInitialCluster(own),
      logger,
      sleep: (ms) => new Promise((resolve) => systemClock.after(ms, resolve)),
    });
    return checked(text);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    logger.warn("failed to bootstrap; discovery token was already used", {
      "discovery-token": token,
      "discovery-endpoints": config.discoveryEndpoints,
      error: (error as Error).message,
    });
    logger.warn("do not reuse discovery token; generate a new one to bootstrap a cluster");
    throw new ConfigError(`failed to join discovery cluster (${(error as Error).message})`);
  } finally {
    client.close();
  }
}

function checked(text: string): InitialCluster {
  const cluster = parseInitialCluster(text);
  const urls = [...cluster.values()].flat().map(({ href }) => href);
  if (new Set(urls).size !== urls.length) {
    throw new ConfigError(`discovery cluster ${formatInitialCluster(cluster)} has duplicate url`);
  }
  return cluster;
}

async function connect(config: Config): Promise<Client> {
  const { discoveryUser, discoveryPassword } = config;
  const colon = discoveryPassword === "" ? discoveryUser.indexOf(":") : -1;
  const user = {
    name: colon < 0 ? discoveryUser : discoveryUser.slice(0, colon),
    password: colon < 0 ? discoveryPassword : discoveryUser.slice(colon + 1),
  };
  try {
    return await Client.connect({
      endpoints: config.discoveryEndpoints,
      tls: await tlsOf(config),
      user: user.name === "" ? undefined : user,
      connectTimeoutMs: config.discoveryDialTimeoutMs,
      keepAlive: { timeMs: config.discoveryKeepaliveTimeMs, timeoutMs: config.discoveryKeepaliveTimeoutMs },
    });
  } catch (error) {
    throw new ConfigError(`failed to join discovery cluster (${(error as Error).message})`);
  }
}

/** Undefined without TLS; an endpoint that says `https` gets it in any case. */
async function tlsOf(config: Config): Promise<ConnectionOptions | undefined> {
  const { discoveryCert, discoveryKey, discoveryCacert, discoveryInsecureSkipTlsVerify } = config;
  const files = [discoveryCert, discoveryKey, discoveryCacert];
  const isPlain = config.discoveryInsecureTransport && !discoveryInsecureSkipTlsVerify;
  if (files.every((file) => file === "") && isPlain) return undefined;
  const [cert, key, ca] = await Promise.all(
    files.map((file) => (file === "" ? Promise.resolve(undefined) : readFile(file, "utf8"))),
  );
  return {
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(ca !== undefined && { ca }),
    rejectUnauthorized: !discoveryInsecureSkipTlsVerify,
  };
}
