/** Where a member listens, as clientv3 reads it: `host:port`, `http://…`, `https://…`, `unix://…`, `unixs://…`. */

export interface Endpoint {
  /** As it was given. */
  readonly text: string;
  /** A TCP address or the path of a socket. */
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  /** What Go's dialer names it: `tcp 127.0.0.1:2379`, `unix /run/etcd.sock`. */
  readonly place: string;
  /** What a certificate has to be made for. */
  readonly serverName: string;
  /** `:authority`. */
  readonly authority: string;
  /** The endpoint without its scheme: how logs name it. */
  readonly target: string;
  /** TLS by the scheme: always, never, or when the client has something to do with it. */
  readonly tls: "always" | "never" | "if-configured";
}

export function parseEndpoint(text: string): Endpoint {
  const unix = /^unix(s?):(?:\/\/)?(.*)$/.exec(text);
  if (unix) {
    const path = unix[2] as string;
    const fileName = path.split("/").at(-1) as string;
    return {
      text,
      address: { path },
      place: `unix ${path}`,
      // As if the file's name were a host, and a port perhaps: so a certificate can be made for it.
      serverName: fileName.replace(/:\d*$/, ""),
      authority: fileName,
      target: path,
      tls: unix[1] === "s" ? "always" : "if-configured",
    };
  }
  const url = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(text);
  const scheme = url?.[1]?.toLowerCase();
  const authority = url?.[2] ?? text;
  const { host, port } = splitHostPort(authority);
  return {
    text,
    address: { host, port },
    place: `tcp ${authority}`,
    serverName: host,
    authority,
    target: text.replace(/^[^/]*?:\/\//, ""),
    tls: scheme === "https" ? "always" : scheme === "http" ? "never" : "if-configured",
  };
}

/** Without a port it is https's, as grpc-go has it. */
function splitHostPort(authority: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(authority);
  if (match === null) return { host: authority, port: 443 };
  const host = match[1] ?? match[2] ?? "";
  return { host: host === "" ? "localhost" : host, port: match[3] ? Number(match[3]) : 443 };
}
