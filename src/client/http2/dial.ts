/** Opens the socket of a connection. What fails is told in the words of Go's dialer. */
import { connect, isIP, type Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { PatientTimer } from "../../lib/patient-timer.ts";
import type { Endpoint } from "../endpoint.ts";

export interface DialOptions {
  /** Certificates; undefined for a client without TLS. */
  readonly tls: ConnectionOptions | undefined;
  readonly timeoutMs: number;
}

/** Rejects with an Error worded as grpc-go words it. */
export async function dial(endpoint: Endpoint, { tls, timeoutMs }: DialOptions): Promise<Socket> {
  const isSecure = endpoint.tls === "always" || (endpoint.tls === "if-configured" && tls !== undefined);
  const socket = await opened(connect(endpoint.address), "connect", timeoutMs, (error) =>
    dialText(endpoint, error),
  );
  socket.setNoDelay(true);
  if (!isSecure) return socket;
  const { connect: connectTls } = await import("node:tls");
  const name = endpoint.serverName;
  const secure = connectTls({
    socket,
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ALPNProtocols: ["h2"],
    ...tls,
  });
  await opened(
    secure,
    "secureConnect",
    timeoutMs,
    (error) => `transport: authentication handshake failed: ${handshakeText(error)}`,
  );
  return secure;
}

function opened<S extends Socket>(
  socket: S,
  event: string,
  timeoutMs: number,
  wording: (error: Error) => string,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const timer = new PatientTimer(timeoutMs, () => fail(new Error("i/o timeout")));
    const settle = (): void => {
      timer.cancel();
      socket.removeListener("error", fail);
      socket.removeListener("close", onClose);
      socket.removeListener(event, onReady);
    };
    const fail = (error: Error): void => {
      settle();
      socket.on("error", () => {});
      socket.destroy();
      reject(new Error(wording(error), { cause: error }));
    };
    const onClose = (): void => fail(new Error("EOF"));
    const onReady = (): void => {
      settle();
      resolve(socket);
    };
    socket.once("error", fail);
    socket.once("close", onClose);
    socket.once(event, onReady);
  });
}

const dialWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  ECONNRESET: "connect: connection reset by peer",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "connect: connection timed out",
  ENOENT: "connect: no such file or directory",
};

const codeOf = (error: Error): string => (error as { code?: string }).code ?? "";

function dialText(endpoint: Endpoint, error: Error): string {
  const code = codeOf(error);
  const what =
    code === "ENOTFOUND" || code === "EAI_AGAIN"
      ? `dial tcp: lookup ${endpoint.serverName}: no such host`
      : `dial ${endpoint.place}: ${dialWords[code] ?? error.message}`;
  return `transport: Error while dialing: ${what}`;
}

const unknownAuthority = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_UNTRUSTED",
]);

function handshakeText(error: Error): string {
  const code = codeOf(error);
  if (unknownAuthority.has(code)) {
    return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
  }
  if (code === "ECONNRESET" || /socket disconnected|socket hang up/.test(error.message)) return "EOF";
  return error.message;
}
