/** Connections to other members. */
import { connect, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import type { Clock } from "../../../lib/clock.ts";
import type { EtcdUrl } from "../../../lib/etcd-url.ts";
import { verificationErrorOf } from "../../tls/client-error.ts";

export interface TlsSource {
  /** Certificates and the like; asked for each time, because they change. */
  options(url: EtcdUrl): ConnectionOptions | Promise<ConnectionOptions>;
  /** Why a server that has shown a good certificate is not the right one all the same; undefined if it is. */
  whyNot?(socket: TLSSocket): string | undefined;
}

export interface DialOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly tls?: TlsSource | undefined;
  /** Of this machine, to connect from; the system chooses without it. */
  readonly localAddress?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** TCP's own probes, for a peer that vanished while nobody waits for it to speak. */
const keepAliveDelayMs = 30_000;

/** A connection to `url`, with TLS if it says so. Rejects with an error worded as Go does. */
export async function dial(url: EtcdUrl, options: DialOptions): Promise<Socket> {
  const tlsOptions = isPlain(url) ? undefined : await options.tls?.options(url);
  if (options.signal?.aborted) throw aborted();
  return await connected(url, options, tlsOptions);
}

const isPlain = ({ scheme }: EtcdUrl): boolean => scheme === "http" || scheme === "unix";

function connected(
  url: EtcdUrl,
  { clock, timeoutMs, signal, tls, localAddress }: DialOptions,
  tlsOptions: ConnectionOptions | undefined,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { socket, ready } = begin(url, tlsOptions, localAddress);
    const settle = (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
      socket.removeListener("error", onError);
      socket.removeListener("close", onClose);
      socket.removeListener(ready, onReady);
    };
    const fail = (error: Error): void => {
      settle();
      // A socket may fail again while it is torn down.
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error): void => fail(dialError(url, cause));
    const onClose = (): void => fail(new Error(`dial ${placeOf(url)}: EOF`));
    const onAbort = (): void => fail(aborted());
    const onReady = (): void => {
      const refusal = isPlain(url) ? undefined : tls?.whyNot?.(socket as TLSSocket);
      if (refusal !== undefined) {
        fail(new Error(`dial ${placeOf(url)}: ${refusal}`));
        return;
      }
      settle();
      socket.setNoDelay(true);
      socket.setKeepAlive(true, keepAliveDelayMs);
      socket.pause();
      resolve(socket);
    };
    const timer = clock.after(timeoutMs, () => fail(new Error(`dial ${placeOf(url)}: i/o timeout`)));
    socket.once("error", onError);
    socket.once("close", onClose);
    socket.once(ready, onReady);
    signal?.addEventListener("abort", onAbort);
  });
}

function begin(
  url: EtcdUrl,
  tlsOptions: ConnectionOptions | undefined,
  localAddress: string | undefined,
): { socket: Socket; ready: string } {
  const from = localAddress === undefined ? {} : { localAddress };
  const target =
    url.socketPath === ""
      ? { host: url.hostname || "localhost", port: url.port, ...from }
      : { path: url.socketPath };
  if (isPlain(url)) return { socket: connect(target), ready: "connect" };
  const named = isIP(url.hostname) === 0 && url.hostname !== "" ? { servername: url.hostname } : {};
  const socket = connectTls({ ...target, ...named, ALPNProtocols: ["http/1.1"], ...tlsOptions });
  return { socket, ready: "secureConnect" };
}

function placeOf(url: EtcdUrl): string {
  if (url.socketPath !== "") return `unix ${url.socketPath}`;
  return `tcp ${hostPort(url)}`;
}

/** `host:port` as it goes into a Host header. */
export function hostPort(url: EtcdUrl): string {
  if (url.socketPath !== "") return "localhost";
  return `${url.hostname.includes(":") ? `[${url.hostname}]` : url.hostname}:${url.port}`;
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  ECONNRESET: "connect: connection reset by peer",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "connect: connection timed out",
  ENOENT: "connect: no such file or directory",
  ENOTFOUND: "no such host",
};

function dialError(url: EtcdUrl, cause: Error): Error {
  const word = words[(cause as { code?: string }).code ?? ""] ?? verificationErrorOf(cause);
  return new Error(`dial ${placeOf(url)}: ${word ?? cause.message}`, { cause });
}

export function aborted(): Error {
  return new Error("context canceled");
}
