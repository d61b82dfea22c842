/** The feature gate SetMemberLocalAddr: the address from which a member calls the others. */
import { isIP } from "node:net";
import type { Config } from "../../config/config.ts";
import type { Logger } from "../../lib/logger.ts";

const isLoopback = (address: string): boolean => /^127\.|^::1$|^::ffff:127\./i.test(address);
const isUnspecified = (address: string): boolean => /^0\.0\.0\.0$|^::$/.test(address);

/** The first of the addresses under which this member is known, if it is one of a network. Undefined: the system chooses. */
export function localAddressOf(
  config: Pick<Config, "featureGates" | "initialAdvertisePeerUrls">,
  logger: Logger,
): string | undefined {
  if (!config.featureGates.SetMemberLocalAddr) return undefined;
  const at = logger.at("cmd/serve/local-address.ts");
  const fields = { "advertise-peer-urls": config.initialAdvertisePeerUrls.map(({ href }) => href) };
  at.info("searching for a suitable member local address in AdvertisePeerURLs", fields);
  for (const { hostname } of config.initialAdvertisePeerUrls) {
    if (isIP(hostname) === 0 || isLoopback(hostname) || isUnspecified(hostname)) continue;
    at.info("setting member local address", { LocalAddr: hostname });
    return hostname;
  }
  at.warn("unable to set a member local address due to lack of suitable local addresses", fields);
  return undefined;
}
