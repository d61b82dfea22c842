/** `etcdutl version`. */
import type { CommandCall } from "../lib/command-line/command.ts";
import { clusterVersion, etcdVersion } from "../server/versions.ts";
import { ExitCode } from "./exit-codes.ts";

export async function version({ output }: CommandCall): Promise<number> {
  const api = clusterVersion.split(".").slice(0, 2).join(".");
  output.out(`etcdutl version: ${etcdVersion}\nAPI version: ${api}\n`);
  return ExitCode.success;
}
