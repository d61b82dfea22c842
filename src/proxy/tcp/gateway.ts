/** `etcd gateway start`: a TCP proxy in front of a cluster, for clients that know one address only. */
import { randomInt } from "node:crypto";
import { lookup } from "node:dns/promises";
import type { Command, CommandCall } from "../../lib/command-line/command.ts";
import type { Flag } from "../../lib/command-line/flags.ts";
import { goQuote } from "../../lib/go-quote.ts";
import { createLogger, type Logger } from "../../lib/logger.ts";
import { notifySystemd } from "../../runtime/notify-systemd.ts";
import { localZone, preciseWallMs } from "../../runtime/wall-clock.ts";
import { discoveredServers } from "../discovered-servers.ts";
import { type Endpoint, Remotes } from "./remotes.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const text = (name: string, value: string, usage: string): Flag => ({
  name,
  kind: "string",
  default: value,
  usage,
});

const flags: readonly Flag[] = [
  text("listen-addr", "127.0.0.1:23790", "listen address"),
  text("discovery-srv", "", "DNS domain used to bootstrap initial cluster"),
  text("discovery-srv-name", "", "service name to query when using DNS discovery"),
  { name: "insecure-discovery", kind: "bool", default: false, usage: "accept insecure SRV records" },
  text(
    "trusted-ca-file",
    "",
    "path to the client server TLS CA file for verifying the discovered endpoints when discovery-srv is provided.",
  ),
  {
    name: "endpoints",
    kind: "strings",
    default: ["127.0.0.1:2379"],
    usage: "comma separated etcd cluster endpoints",
  },
  {
    name: "retry-delay",
    kind: "duration",
    default: 60_000,
    usage: "duration of delay before retrying failed endpoints",
  },
];

/** For words that begin with `gateway`. */
export const gatewayCommands: Command = {
  use: "etcd",
  short: "",
  commands: [
    {
      use: "gateway <subcommand>",
      short: "gateway related command",
      commands: [{ use: "start", short: "start the gateway", flags, run: start }],
    },
  ],
};

async function start({ flags: values, args, output }: CommandCall): Promise<number> {
  const refuse = (message: string): number => {
    output.err(`${message}\n`);
    return 1;
  };
  if (args.length > 0) return refuse(`unexpected argument ${goQuote(args[0]!)}`);
  const listen = hostAndPort(values.string("listen-addr"));
  if (!listen) return refuse(`failed to validate listen address: ${values.string("listen-addr")}`);
  const retryDelayMs = values.durationMs("retry-delay");
  if (retryDelayMs <= 0) return refuse("--retry-delay must be positive");
  const logger = gatewayLogger((line) => output.err(line));
  try {
    const endpoints = await endpointsOf(values);
    const remotes = new Remotes(endpoints, (limit) => randomInt(limit));
    await refuseLoop(endpoints, listen, values.string("listen-addr"));
    const proxy = await TcpProxy.listen({ ...listen, remotes, retryDelayMs, logger });
    logger.info("ready to proxy client requests", { endpoints: remotes.all.map(({ address }) => address) });
    notifySystemd("READY=1").catch((error: Error) =>
      logger.warn("failed to notify systemd", { error: error.message }),
    );
    await new Promise<void>((resolve) => {
      process.once("SIGTERM", resolve);
      process.once("SIGINT", resolve);
    });
    proxy.close();
    return 0;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

async function endpointsOf(values: CommandCall["flags"]): Promise<Endpoint[]> {
  const domain = values.string("discovery-srv");
  if (domain !== "") return discoveredServers(values);
  const named = values.strings("endpoints").filter((word) => word !== "");
  if (named.length === 0) throw new Error("no endpoints found");
  return named.map((word) => {
    const found = hostAndPort(word.replace(/^[a-z]+:\/\//, "").replace(/\/.*$/, ""));
    if (!found || found.port === 0) throw new Error(`error parsing endpoint ${goQuote(word)}`);
    return { ...found, priority: 0, weight: 0 };
  });
}

/** A gateway that passes connections on to itself would do so for ever. */
async function refuseLoop(
  endpoints: readonly Endpoint[],
  listen: { readonly host: string; readonly port: number },
  listenText: string,
): Promise<void> {
  const own = new Set((await resolve(listen.host, "listen")).map(({ address }) => address));
  for (const { host, port } of endpoints) {
    const found = (await resolve(host, "endpoint")).find(({ address }) => own.has(address));
    if (found && port === listen.port) {
      throw new Error(
        `SRV or endpoint (${host}:${port}->${found.address}:${port}) should not resolve to the gateway listen addr (${listenText})`,
      );
    }
  }
}

async function resolve(host: string, what: string) {
  try {
    return await lookup(host, { all: true });
  } catch {
    throw new Error(`failed to resolve ${what} host: ${host}`);
  }
}

/** `host:port`, or `[host]:port` for an address with colons. */
function hostAndPort(words: string): { host: string; port: number } | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(words) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return undefined;
  return { host: bracketed ?? plain ?? "", port };
}

function gatewayLogger(write: (line: string) => void): Logger {
  const format = "json" as const;
  return createLogger({
    sink: { write },
    wallMs: preciseWallMs,
    zone: localZone,
    format,
    caller: "proxy/tcp/gateway.ts",
  });
}
