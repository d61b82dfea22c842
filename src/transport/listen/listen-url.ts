import { parseEtcdUrl } from "../../lib/etcd-url.ts";

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

/** Reads `http://host:port`, `https://host:port`, `unix://path` or `unixs://path`. Throws Error in etcd's words. */
export function parseListenUrl(url: string): ListenAddress {
  const { scheme, hostname, port, socketPath } = parseEtcdUrl(url);
  const secure = scheme === "https" || scheme === "unixs";
  if (scheme === "unix" || scheme === "unixs") {
    if (socketPath === "") throw new Error(`URL has no path of a socket: ${url}`);
    return { secure, target: { kind: "unix", path: socketPath }, key: `unix:${socketPath}` };
  }
  return { secure, target: { kind: "tcp", host: hostname, port }, key: `tcp:${hostname}:${port}` };
}
