/** The gRPC proxy as a program: what it takes from this process and what it counts of it. */
import { type CommandOutput, runCommand } from "../lib/command-line/command.ts";
import { grpcProxyCommands } from "../proxy/grpc/grpc-proxy.ts";
import { loadProfiles } from "./serve/debug.ts";
import { registerProcessMetrics } from "./serve/process-metrics.ts";

/** Gives the status to end with. */
export function runGrpcProxy(args: readonly string[], output: CommandOutput): Promise<number> {
  const environment = {
    profiles: loadProfiles,
    registerMetrics: (metrics: Parameters<typeof registerProcessMetrics>[0]) =>
      registerProcessMetrics(metrics, () => performance.now()),
  };
  return runCommand(grpcProxyCommands(environment), ["grpc-proxy", ...args], output, { helpEnd: "" });
}
