import { lookup } from "node:dns/promises";
import { lstat, unlink } from "node:fs/promises";
import { isIP, type Server } from "node:net";
import { systemWords } from "../../lib/system-words.ts";
import type { ListenAddress } from "./listen-url.ts";

/** Connections that may wait for `accept`. */
const backlog = 1024;

/** Makes `server` listen on `target`. Rejects with the system's error (EADDRINUSE and others). */
export async function bind(
  server: Server,
  target: ListenAddress["target"],
  reusePort: boolean,
): Promise<void> {
  if (target.kind === "unix") {
    await removeStaleSocket(target.path);
    await listening(server, { path: target.path, backlog });
    return;
  }
  const { port } = target;
  const shared = { port, backlog, ...(reusePort && { reusePort }) };
  if (isWildcard(target.host)) {
    // As Go does: the wildcard of either family means both, where the system has both.
    try {
      await listening(server, { ...shared, host: "::" });
      return;
    } catch (cause) {
      const code = (cause as { code?: unknown }).code;
      if (code !== "EAFNOSUPPORT" && code !== "EADDRNOTAVAIL" && code !== "EINVAL") throw cause;
    }
    await listening(server, { ...shared, host: "0.0.0.0" });
    return;
  }
  await listening(server, { ...shared, host: await resolve(target.host) });
}

function isWildcard(host: string): boolean {
  return host === "" || host === "0.0.0.0" || host === "::";
}

/** Go's order for a listener's name: IPv4 first. */
async function resolve(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  const found = await lookup(host, { all: true });
  const best = found.find(({ family }) => family === 4) ?? found[0];
  if (best === undefined) throw new Error(`lookup ${host}: no such host`);
  return best.address;
}

/** A socket file that a killed server left behind is in the way of the next one. Other files are left alone. */
async function removeStaleSocket(path: string): Promise<void> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat?.isSocket()) await unlink(path);
}

type Where = { readonly backlog: number } & (
  | { readonly path: string }
  | { readonly port: number; readonly host: string; readonly reusePort?: boolean }
);

/** "listen tcp 127.0.0.1:2379: bind: address already in use": what people look for. The code stays. */
function inGoWords(cause: Error, where: Where): Error {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) return cause;
  const place = "path" in where ? `unix ${where.path}` : `tcp ${hostAndPort(where)}`;
  return Object.assign(new Error(`listen ${place}: bind: ${systemWords(cause)}`, { cause }), { code });
}

const hostAndPort = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `${host.includes(":") ? `[${host}]` : host}:${port}`;

function listening(server: Server, where: Where): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => {
      server.removeListener("listening", onListening);
      reject(inGoWords(cause, where));
    };
    const onListening = (): void => {
      server.removeListener("error", onError);
      resolve();
    };
    server.once("error", onError);
    server.once("listening", onListening);
    server.listen(where);
  });
}
