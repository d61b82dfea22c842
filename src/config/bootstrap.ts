/**
 * Checks for a member that has no data yet: what it is told about the cluster has to fit together. A member that has
 * data never asks, as in etcd: `--initial-cluster` may then say what it likes.
 */
import { type EtcdUrl, normalizeEtcdUrls, parseEtcdUrl } from "../lib/etcd-url.ts";
import { goQuote, goQuoteList } from "../lib/go-quote.ts";
import { type Config, ConfigError } from "./config.ts";

/** The members' peer URLs by name; each list sorted. */
export type InitialCluster = ReadonlyMap<string, readonly EtcdUrl[]>;

/** What the checks look at. */
export type ClusterSettings = Pick<Config, "name" | "initialCluster" | "initialAdvertisePeerUrls">;

/** A host name to its address. Rejects if there is none. */
export type Resolve = (hostname: string) => Promise<string>;

const wrong = (message: string): ConfigError => new ConfigError(message, { settings: ["initialCluster"] });

/** Reads `--initial-cluster`. Throws a `ConfigError`. */
export function parseInitialCluster(text: string): InitialCluster {
  const byName = new Map<string, EtcdUrl[]>();
  for (const pair of text.split(",")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    const urls = byName.get(name) ?? [];
    byName.set(name, urls);
    try {
      urls.push(parseEtcdUrl(equals < 0 ? "" : pair.slice(equals + 1)));
    } catch (cause) {
      throw wrong(`error setting up initial cluster: ${(cause as Error).message}`);
    }
  }
  for (const urls of byName.values()) urls.sort(byHref);
  return byName;
}

/** `name=URL` pairs, sorted: how etcd shows and compares a cluster. */
export function formatInitialCluster(cluster: InitialCluster): string {
  const pairs = [...cluster].flatMap(([name, urls]) => urls.map((url) => `${name}=${url.href}`));
  return pairs.sort().join(",");
}

/** A member that begins a cluster. Rejects with a `ConfigError`. */
export async function checkNewCluster(config: ClusterSettings, resolve: Resolve): Promise<InitialCluster> {
  const cluster = parseInitialCluster(config.initialCluster);
  const own = ownUrls(config, cluster);
  await checkAdvertised(config, own, resolve);
  checkDuplicates(cluster);
  return cluster;
}

/** A member that joins one. Throws a `ConfigError`. */
export function checkExistingCluster(
  config: ClusterSettings & Pick<Config, "discoveryEndpoints">,
): InitialCluster {
  const cluster = parseInitialCluster(config.initialCluster);
  ownUrls(config, cluster);
  checkDuplicates(cluster);
  if (config.discoveryEndpoints.length > 0) {
    throw new ConfigError("discovery URL should not be set when joining existing initial cluster");
  }
  return cluster;
}

function ownUrls(config: ClusterSettings, cluster: InitialCluster): readonly EtcdUrl[] {
  const urls = cluster.get(config.name);
  if (urls) return urls;
  throw wrong(`couldn't find local name ${goQuote(config.name)} in the initial cluster configuration`);
}

function checkDuplicates(cluster: InitialCluster): void {
  const all = [...cluster.values()].flat().map((url) => url.href);
  if (new Set(all).size === all.length) return;
  throw wrong(`initial cluster ${formatInitialCluster(cluster)} has duplicate url`);
}

/** The URLs given for this member in the cluster are the ones it advertises; perhaps under other names of the host. */
async function checkAdvertised(
  config: ClusterSettings,
  own: readonly EtcdUrl[],
  resolve: Resolve,
): Promise<void> {
  const advertised = config.initialAdvertisePeerUrls;
  const why = await difference(advertised, own, resolve);
  if (why === undefined) return;
  const missing = own.filter((url) => !advertised.some((other) => other.href === url.href));
  if (missing.length > 0) {
    const pairs = missing.map((url) => `${config.name}=${url.href}`).join(",");
    throw wrong(
      `--initial-cluster has ${pairs} but missing from --initial-advertise-peer-urls=${hrefs(advertised)} (${why})`,
    );
  }
  const extra = advertised.filter((url) => !own.some((other) => other.href === url.href));
  const whole = formatInitialCluster(new Map([[config.name, advertised]]));
  if (extra.length > 0) {
    throw wrong(
      `--initial-advertise-peer-urls has ${hrefs(extra)} but missing from --initial-cluster=${whole}`,
    );
  }
  throw wrong(`failed to resolve ${hrefs(advertised)} to match --initial-cluster=${whole} (${why})`);
}

/** Undefined if the two lists mean the same addresses. */
async function difference(
  a: readonly EtcdUrl[],
  b: readonly EtcdUrl[],
  resolve: Resolve,
): Promise<string | undefined> {
  if (a.length !== b.length) {
    const quoted = [a, b].map((urls) => goQuoteList(urls.map((url) => url.href)));
    return `len(${quoted[0]}) != len(${quoted[1]})`;
  }
  if (a.every((url, at) => sameAddress(url, b[at] as EtcdUrl))) return undefined;
  let resolved: EtcdUrl[][];
  try {
    resolved = await Promise.all([a, b].map((urls) => resolveAll(urls, resolve)));
  } catch (cause) {
    return (cause as Error).message;
  }
  const [left = [], right = []] = resolved;
  const at = left.findIndex((url, i) => !sameAddress(url, right[i] as EtcdUrl));
  if (at < 0) return undefined;
  return `resolved urls: ${goQuote(left[at]?.href ?? "")} != ${goQuote(right[at]?.href ?? "")}`;
}

/** Host names do not care for case. */
const sameAddress = (a: EtcdUrl, b: EtcdUrl): boolean => a.href.toLowerCase() === b.href.toLowerCase();

async function resolveAll(urls: readonly EtcdUrl[], resolve: Resolve): Promise<EtcdUrl[]> {
  const resolved = await Promise.all(urls.map((url) => resolveOne(url, resolve)));
  return resolved.sort(byHref);
}

async function resolveOne(url: EtcdUrl, resolve: Resolve): Promise<EtcdUrl> {
  if (url.hostname === "" || url.hostname === "localhost") return url;
  try {
    const address = await resolve(url.hostname);
    const host = address.includes(":") ? `[${address}]` : address;
    return { ...url, hostname: address, href: `${url.scheme}://${host}:${url.port}` };
  } catch (cause) {
    throw new Error(`failed to resolve ${goQuote(url.href)} (${(cause as Error).message})`);
  }
}

const byHref = (a: EtcdUrl, b: EtcdUrl): number => (a.href < b.href ? -1 : a.href > b.href ? 1 : 0);
const hrefs = (urls: readonly EtcdUrl[]): string =>
  normalizeEtcdUrls(urls)
    .map((url) => url.href)
    .join(",");
