/** Which URLs may be listened on, and which advertised. */
import { isIP } from "node:net";
import type { EtcdUrl } from "../lib/etcd-url.ts";
import { goQuote } from "../lib/go-quote.ts";
import { ConfigError, type FieldName, type Settings } from "./config.ts";

const isSocket = (url: EtcdUrl): boolean => url.scheme === "unix" || url.scheme === "unixs";

export function checkUrls(settings: Settings): void {
  for (const field of [
    "listenPeerUrls",
    "listenClientUrls",
    "listenClientHttpUrls",
    "listenMetricsUrls",
  ] as const) {
    for (const url of settings[field]) checkBind(url, field);
  }
  checkAdvertised(
    settings,
    "initialAdvertisePeerUrls",
    (texts, why) => `--initial-advertise-peer-urls ${goQuote(texts)} must be "host:port" (${why})`,
  );
  checkAdvertised(
    settings,
    "advertiseClientUrls",
    (texts, why) =>
      `--advertise-client-urls ${goQuote(texts)} must be in the format "host:port", "unix:/path/to/socket" or ` +
      `"unixs:/path/to/socket" (${why})`,
  );
}

/** A name may stand for other addresses tomorrow, so only addresses are listened on; and localhost. */
function checkBind(url: EtcdUrl, field: FieldName): void {
  const wrong = (message: string) => new ConfigError(message, { settings: [field] });
  if (isSocket(url)) {
    // etcd would listen on a name nobody knows.
    if (url.socketPath === "") throw wrong(`expected the path of a socket in ${url.href}`);
    return;
  }
  if (url.hostname === "localhost" || (isIP(url.hostname) !== 0 && !url.hostname.includes("%"))) return;
  throw wrong(`expected IP in URL for binding (${url.href})`);
}

function checkAdvertised(
  settings: Settings,
  field: "initialAdvertisePeerUrls" | "advertiseClientUrls",
  message: (texts: string, why: string) => string,
): void {
  const urls = settings[field];
  const empty = urls.find((url) => !isSocket(url) && url.hostname === "");
  if (!empty) return;
  const texts = urls.map((url) => url.href).join(",");
  throw new ConfigError(message(texts, `unexpected empty host (${empty.href})`), { settings: [field] });
}
