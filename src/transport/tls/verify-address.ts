/**
 * A member that connects has to come from where its certificate says it is: from one of its addresses, or from a host
 * with one of its names. A certificate without names may come from anywhere.
 */
import type { X509Certificate } from "node:crypto";
import { lookup, reverse } from "node:dns/promises";
import { goQuote } from "../../lib/go-quote.ts";
import { alternativeNamesOf, isFor } from "./certificate-names.ts";

export interface Resolver {
  /** Names of an address. */
  reverse(address: string): Promise<readonly string[]>;
  /** Addresses of a name. */
  lookup(name: string): Promise<readonly string[]>;
}

export const systemResolver: Resolver = {
  reverse: (address) => reverse(address),
  lookup: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
};

/** Undefined: it may; else why it may not, in etcd's words. `address` is without a port. */
export async function whyNotFrom(
  address: string,
  certificate: X509Certificate,
  resolver: Resolver,
): Promise<string | undefined> {
  const { dns, ips } = alternativeNamesOf(certificate);
  if (ips.length === 0 && dns.length === 0) return undefined;
  if (ips.length > 0) {
    if (isFor(certificate, address)) return undefined;
    if (dns.length === 0) {
      return `x509: certificate is valid for ${ips.join(", ")}, not ${address}`;
    }
  }
  const found = await isOneOf(dns, address, resolver);
  if (found === true) return undefined;
  const names = dns.map((name) => goQuote(name)).join(" ");
  const why = found === false ? "" : ` (${found})`;
  return `tls: ${goQuote(address)} does not match any of DNSNames [${names}]${why}`;
}

/** True or false, or what went wrong last. */
async function isOneOf(
  dns: readonly string[],
  address: string,
  resolver: Resolver,
): Promise<boolean | string> {
  let failure: string | undefined;
  const noted = (what: string) => (cause: Error) => {
    failure = `lookup ${what}: ${cause.message}`;
    return [] as readonly string[];
  };
  const endings = dns.filter((name) => name.startsWith("*.")).map((name) => name.slice(1));
  const names = dns.filter((name) => !name.startsWith("*."));
  for (const found of await resolver.reverse(address).catch(noted(address))) {
    const name = found.replace(/\.$/, "");
    if (names.includes(name) || endings.some((ending) => name.endsWith(ending))) return true;
  }
  for (const name of names) {
    if ((await resolver.lookup(name).catch(noted(name))).includes(address)) return true;
  }
  return failure ?? false;
}
