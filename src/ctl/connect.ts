/** What a client needs, from the flags: endpoints, certificates, who is asking. */
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import type { ClientOptions } from "../client/client.ts";
import type { CtlCall } from "./call.ts";
import { badArguments, Exit, ExitCode, orExit } from "./exit.ts";

export async function optionsFromFlags(call: CtlCall): Promise<ClientOptions> {
  const { flags } = call;
  const endpoints = await endpointsFromFlags(call);
  const paths = pathsFromFlags(call);
  const { user, token } = await userFromFlags(call);
  if (endpoints.length === 0) throw new Exit(ExitCode.badConnection, "etcdclient: no available endpoints");
  const serverName = flags.bool("insecure-discovery") ? "" : flags.string("discovery-srv");
  return {
    endpoints,
    user,
    token,
    tls: tlsFrom({
      ...paths,
      serverName,
      isPlain: flags.bool("insecure-transport"),
      skipsVerify: flags.bool("insecure-skip-tls-verify"),
    }),
    connectTimeoutMs: flags.durationMs("dial-timeout") || undefined,
    ...limitsFromFlags(call),
  };
}

export function limitsFromFlags({ flags }: CtlCall): Partial<ClientOptions> {
  const send = Number(flags.int("max-request-bytes"));
  const receive = Number(flags.int("max-recv-bytes"));
  if (receive > 0 && send > receive) {
    throw new Exit(
      ExitCode.badConnection,
      `gRPC message recv limit (${receive} bytes) must be greater than send limit (${send} bytes)`,
    );
  }
  return {
    keepAlive: {
      // A server ends connections that ping it more often than every ten seconds: grpc-go does not do it either.
      timeMs: Math.max(10_000, flags.durationMs("keepalive-time")),
      timeoutMs: flags.durationMs("keepalive-timeout"),
    },
    ...(send > 0 ? { maxSendBytes: send } : {}),
    ...(receive > 0 ? { maxReceiveBytes: receive } : {}),
  };
}

export async function endpointsFromFlags(call: CtlCall): Promise<string[]> {
  const { flags, io } = call;
  const domain = flags.string("discovery-srv");
  if (domain !== "") {
    const { discoverServers, urlOfServer } = await import("../client/discovery/client-servers.ts");
    const servers = await orExit(discoverServers(domain, flags.string("discovery-srv-name")));
    const found = servers.map(urlOfServer);
    if (flags.bool("insecure-discovery")) return found;
    const secure = found.filter((endpoint) => !endpoint.startsWith("http://"));
    for (const endpoint of found) {
      if (!secure.includes(endpoint))
        io.err(`ignoring discovered insecure endpoint ${JSON.stringify(endpoint)}\n`);
    }
    if (secure.length > 0) return secure;
  }
  return flags.strings("endpoints").map((endpoint) => endpoint.trim());
}

interface Paths {
  readonly cert: string;
  readonly key: string;
  readonly cacert: string;
}

function pathsFromFlags({ flags }: CtlCall): Paths {
  for (const name of ["cert", "key", "cacert"]) {
    if (flags.isGiven(name) && flags.string(name) === "") {
      badArguments(`empty string is passed to --${name} option`);
    }
  }
  return { cert: flags.string("cert"), key: flags.string("key"), cacert: flags.string("cacert") };
}

export interface TlsSettings extends Paths {
  /** Whom the certificate has to be for; empty for the endpoint's own host. */
  readonly serverName: string;
  /** Without certificates, connections are without TLS. */
  readonly isPlain: boolean;
  readonly skipsVerify: boolean;
}

/** Undefined for connections without TLS. */
export function tlsFrom(settings: TlsSettings): ConnectionOptions | undefined {
  const { cert, key, cacert, serverName, isPlain, skipsVerify } = settings;
  if ((cert === "") !== (key === "")) {
    badArguments(`KeyFile and CertFile must both be present[key: ${key}, cert: ${cert}]`);
  }
  const isNeeded = cert !== "" || cacert !== "" || serverName !== "" || !isPlain || skipsVerify;
  if (!isNeeded) return undefined;
  return {
    minVersion: "TLSv1.2",
    ...(cert === "" ? {} : { cert: readPem(cert), key: readPem(key) }),
    ...(cacert === "" ? {} : { ca: readPem(cacert) }),
    ...(serverName === "" ? {} : { servername: serverName }),
    ...(skipsVerify ? { rejectUnauthorized: false } : {}),
  };
}

const fileErrors: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
};

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code = "" } = error as { code?: string };
    return badArguments(`open ${path}: ${fileErrors[code] ?? (error as Error).message}`);
  }
}

type Who = Pick<ClientOptions, "user" | "token">;

async function userFromFlags(call: CtlCall): Promise<Who> {
  const token = call.flags.string("auth-jwt-token");
  if (token !== "") return { token };
  const { flags } = call;
  return { user: await userFrom(call, flags.string("user"), flags.string("password"), "Password: ") };
}

/** `name`, `name:password`, or a name and a password apart; asks for what is missing. */
export async function userFrom(
  { io }: CtlCall,
  user: string,
  password: string,
  prompt: string,
): Promise<ClientOptions["user"]> {
  if (user === "") return undefined;
  if (password !== "") return { name: user, password };
  const colon = user.indexOf(":");
  if (colon >= 0) return { name: user.slice(0, colon), password: user.slice(colon + 1) };
  return { name: user, password: await orExit(io.askSecret(prompt)) };
}
