/**
 * The URLs of etcd's flags: `http://host:port`, `https://host:port`, `unix://path`, `unixs://path`. Read as Go's
 * `net/url` reads them and not as the WHATWG does, because `unix://localhost:20001` must stay a file name, ports must
 * not be dropped for being the scheme's own, and what is refused is refused in Go's words.
 */
import { goQuote } from "./go-quote.ts";

export const etcdUrlSchemes = ["http", "https", "unix", "unixs"] as const;
export type EtcdUrlScheme = (typeof etcdUrlSchemes)[number];

export interface EtcdUrl {
  readonly scheme: EtcdUrlScheme;
  /** The whole URL as Go prints it: what etcd compares, logs and stores. */
  readonly href: string;
  /** `http` and `https`: host name or address, without an IPv6 address's brackets; may be empty. Else empty. */
  readonly hostname: string;
  /** `http` and `https`: 0 to 65535; 0 also for an empty port: the system chooses. Else 0. */
  readonly port: number;
  /** `unix` and `unixs`: the socket's file, relative to the working directory unless it begins with "/". Else empty. */
  readonly socketPath: string;
}

/** One URL. Throws an `Error` with etcd's text. */
export function parseEtcdUrl(text: string): EtcdUrl {
  const trimmed = text.trim();
  const { scheme, authority, path, rest } = split(trimmed);
  const href = `${scheme}:${rest}`;
  if (scheme === "unix" || scheme === "unixs") {
    return { scheme, href, hostname: "", port: 0, socketPath: authority + path };
  }
  if (scheme !== "http" && scheme !== "https") {
    throw new Error(`URL scheme must be http, https, unix, or unixs: ${trimmed}`);
  }
  const colon = authority.lastIndexOf(":");
  if (colon < 0 || authority.endsWith("]")) {
    throw new Error(`URL address does not have the form "host:port": ${trimmed}`);
  }
  if (path !== "") throw new Error(`URL must not contain a path: ${trimmed}`);
  const port = Number(authority.slice(colon + 1));
  if (port > 65_535) throw new Error(`URL has a port above 65535: ${trimmed}`);
  const hostname = authority.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { scheme, href, hostname, port, socketPath: "" };
}

/** A comma-separated list, in order of their text and each once, as etcd keeps it. */
export function parseEtcdUrls(list: string): EtcdUrl[] {
  return normalizeEtcdUrls(list.split(",").map(parseEtcdUrl));
}

/** In order of their text, and each once. */
export function normalizeEtcdUrls(urls: readonly EtcdUrl[]): EtcdUrl[] {
  const byHref = new Map(urls.map((url) => [url.href, url]));
  return [...byHref.keys()].sort().map((href) => byHref.get(href) as EtcdUrl);
}

interface Parts {
  /** Lower case; empty if there is none. */
  readonly scheme: string;
  /** Without user and password. */
  readonly authority: string;
  readonly path: string;
  /** All after the scheme's colon. */
  readonly rest: string;
}

function split(text: string): Parts {
  const fail = (why: string): Error => new Error(`parse ${goQuote(text)}: ${why}`);
  if ([...text].some((c) => c < " " || c === "\x7f")) throw fail("net/url: invalid control character in URL");
  if (text.startsWith(":")) throw fail("missing protocol scheme");
  const named = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text);
  const scheme = named ? (named[1] as string).toLowerCase() : "";
  const rest = named ? text.slice(scheme.length + 1) : text;
  const [beforeFragment, fragment] = cut(rest, "#");
  const [hierarchy] = cut(beforeFragment, "?");
  checkEscapes(fragment ?? "", fail);
  if (!hierarchy.startsWith("/")) {
    // With a scheme this is opaque ("localhost:2379" has the scheme "localhost"): neither host nor path.
    if (scheme === "" && /^[^/]*:/.test(hierarchy))
      throw fail("first path segment in URL cannot contain colon");
    return { scheme, authority: "", path: "", rest };
  }
  const slashes = /^\/\/([^/]*)/.exec(hierarchy);
  if (!slashes || (scheme === "" && hierarchy.startsWith("///"))) {
    checkEscapes(hierarchy, fail);
    return { scheme, authority: "", path: decode(hierarchy), rest };
  }
  const path = hierarchy.slice(slashes[0].length);
  const authority = host(slashes[1] as string, fail);
  checkEscapes(path, fail);
  return { scheme, authority, path: decode(path), rest };
}

/** The host and port of an authority, checked. */
function host(authority: string, fail: (why: string) => Error): string {
  const at = authority.lastIndexOf("@");
  if (!/^[\w.~!$&'()*+,;=:@%-]*$/.test(authority.slice(0, Math.max(at, 0)))) {
    throw fail("net/url: invalid userinfo");
  }
  const hostPort = authority.slice(at + 1);
  const bracket = hostPort.lastIndexOf("]");
  if (hostPort.startsWith("[") && bracket < 0) throw fail("missing ']' in host");
  const colon = hostPort.startsWith("[") ? bracket + 1 : hostPort.indexOf(":");
  const port = colon < 0 ? "" : hostPort.slice(colon);
  if (!/^(:[0-9]*)?$/.test(port)) throw fail(`invalid port ${goQuote(port)} after host`);
  const name = colon < 0 ? hostPort : hostPort.slice(0, colon);
  if (name.startsWith("[")) checkAddress(name.slice(1, -1), fail);
  else {
    const escaped = /%.{0,2}/.exec(name);
    if (escaped) throw fail(`invalid URL escape ${goQuote(escaped[0])}`);
    const bad = /[^\w.~!$&'()*+,;=:[\]<>"\u0080-\u{10ffff}-]/u.exec(name);
    if (bad) throw fail(`invalid character ${goQuote(bad[0])} in host name`);
  }
  return decode(hostPort);
}

/** What stands in brackets: an IPv6 address, perhaps with a zone after "%25". */
function checkAddress(address: string, fail: (why: string) => Error): void {
  const [bare, zone] = cut(address, "%25");
  const escaped = /%.{0,2}/.exec(bare);
  if (escaped) throw fail(`invalid URL escape ${goQuote(escaped[0])}`);
  if (/^[0-9.]+$/.test(bare)) throw fail("invalid IP-literal");
  if (!/^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(bare) || zone === "") {
    throw fail(`invalid host: ParseAddr(${goQuote(address)}): unable to parse IP`);
  }
}

function checkEscapes(text: string, fail: (why: string) => Error): void {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(text);
  if (bad) throw fail(`invalid URL escape ${goQuote(bad[0])}`);
}

function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // escapes that are no UTF-8: Go keeps the bytes, a file name of ours keeps the escapes
  }
}
