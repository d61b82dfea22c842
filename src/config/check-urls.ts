/** Which URLs may be listened on, and which advertised. */
import { isIP } from "node:net";
import type { EtcdUrl } from "../lib/etcd-url.ts";
import { goQuote } from "../lib/go-quote.ts";
import { ConfigError, type Settings } from "./config.ts";

const isSocket = (url: EtcdUrl): boolean => url.scheme === "unix" || url.scheme === "unixs";

export function checkUrls(settings: Settings): void {
  for (const listen of [
    settings.listenPeerUrls,
    settings.listenClientUrls,
    settings.listenClientHttpUrls,
    settings.listenMetricsUrls,
  ]) {
    for (const url of listen) checkBind(url);
  }
  checkAdvertised(
    settings.initialAdvertisePeerUrls,
    (texts, why) => `--initial-advertise-peer-urls ${goQuote(texts)} must be "host:port" (${why})`,
  );
  checkAdvertised(
    settings.advertiseClientUrls,
    (texts, why) =>
      `--advertise-client-urls ${goQuote(texts)} must be in the format "host:port", "unix:/path/to/socket" or ` +
      `"unixs:/path/to/socket" (${why})`,
  );
}

/** A name may stand for other addresses tomorrow, so only addresses are listened on; and localhost. */
function checkBind(url: EtcdUrl): void {
  if (isSocket(url)) {
    // etcd would listen on a name nobody knows.
    if (url.socketPath === "") throw new ConfigError(`expected the path of a socket in ${url.href}`);
    return;
  }
  if (url.hostname === "localhost" || (isIP(url.hostname) !== 0 && !url.hostname.includes("%"))) return;
  throw new ConfigError(`expected IP in URL for binding (${url.href})`);
}

function checkAdvertised(urls: readonly EtcdUrl[], message: (texts: string, why: string) => string): void {
  const empty = urls.find((url) => !isSocket(url) && url.hostname === "");
  if (!empty) return;
  const texts = urls.map((url) => url.href).join(",");
  throw new ConfigError(message(texts, `unexpected empty host (${empty.href})`));
}
