/** `etcd grpc-proxy start`: a proxy in front of a cluster that lets many clients share watches and renewals. */
import type { Command, CommandCall } from "../../lib/command-line/command.ts";
import { createLogger, type Logger } from "../../lib/logger.ts";
import { notifySystemd } from "../../runtime/notify-systemd.ts";
import { localZone, preciseWallMs } from "../../runtime/wall-clock.ts";
import { type ProxyEnvironment, startProxy } from "./proxy-server.ts";
import { problemOf, proxyFlags } from "./settings.ts";

const stopGraceMs = 1_000;

/** For words that begin with `grpc-proxy`. */
export function grpcProxyCommands(environment: ProxyEnvironment): Command {
  const start: Command = {
    use: "start",
    short: "start the grpc proxy",
    flags: proxyFlags,
    run: (call) => run(call, environment),
  };
  const proxy = { use: "grpc-proxy <subcommand>", short: "grpc-proxy related command", commands: [start] };
  return { use: "etcd", short: "", commands: [proxy] };
}

async function run({ flags, output }: CommandCall, environment: ProxyEnvironment): Promise<number> {
  const problem = problemOf(flags);
  if (problem !== undefined) {
    output.err(`${problem}\n`);
    return 1;
  }
  const logger = createLogger({
    sink: { write: (line) => output.err(line) },
    wallMs: preciseWallMs,
    zone: localZone,
    format: "json",
    level: flags.bool("debug") ? "debug" : "info",
    caller: "proxy/grpc/grpc-proxy.ts",
  });
  try {
    const stopAsked = new Promise<void>((resolve) => {
      process.once("SIGTERM", resolve);
      process.once("SIGINT", resolve);
    });
    const proxy = await startProxy(flags, logger, environment);
    logger.info("started gRPC proxy", { address: flags.string("listen-addr") });
    tellSystemd(logger, "READY=1");
    await stopAsked;
    tellSystemd(logger, "STOPPING=1");
    await proxy.stop(stopGraceMs);
    return 0;
  } catch (error) {
    output.err(`${(error as Error).message}\n`);
    return 1;
  }
}

function tellSystemd(logger: Logger, state: string): void {
  notifySystemd(state).catch((error: Error) =>
    logger.warn("failed to notify systemd", { state, error: error.message }),
  );
}
