import { isIP } from "node:net";

/** Where to listen, out of one of etcd's URLs. */
export interface ListenAddress {
  readonly secure: boolean;
  /** TCP, or the path of a unix socket. */
  readonly target:
    | { readonly kind: "tcp"; readonly host: string; readonly port: number }
    | { readonly kind: "unix"; readonly path: string };
  /** Two URLs with the same key share a socket (etcd serves http and https on one port). */
  readonly key: string;
}

/**
 * Reads `http://host:port`, `https://host:port`, `unix://path` or `unixs://path`. As in etcd, the path of a unix URL
 * is its host and path together, so `unix://localhost:2379` is the file `localhost:2379` in the working directory.
 * Throws Error with the URL in its message.
 */
export function parseListenUrl(url: string): ListenAddress {
  const match = /^(https?|unixs?):\/\/(.*)$/.exec(url);
  if (match === null) throw new Error(`URL scheme must be http, https, unix, or unixs: ${url}`);
  const scheme = match[1]!;
  const rest = match[2]!;
  const secure = scheme === "https" || scheme === "unixs";
  if (scheme.startsWith("unix")) {
    if (rest === "") throw new Error(`unix socket without a path: ${url}`);
    return { secure, target: { kind: "unix", path: rest }, key: `unix:${rest}` };
  }
  const address = /^(\[[^\]]*\]|[^:/]*):(\d{1,5})\/?$/.exec(rest);
  if (address === null) throw new Error(`URL must be of the form ${scheme}://host:port: ${url}`);
  const host = address[1]!.replace(/^\[|\]$/g, "");
  const port = Number(address[2]);
  if (port > 65_535) throw new Error(`port out of range: ${url}`);
  if (address[1]!.startsWith("[") && isIP(host.replace(/%.*$/, "")) !== 6) {
    throw new Error(`not an IPv6 address: ${url}`);
  }
  return { secure, target: { kind: "tcp", host, port }, key: `tcp:${host}:${port}` };
}
