/** `etcdutl completion`. */
import type { CommandCall } from "../lib/command-line/command.ts";
import type { shells } from "../lib/command-line/complete.ts";
import { completionScript } from "../lib/command-line/completion-script.ts";
import { ExitCode } from "./exit-codes.ts";

export async function completion({ args, output }: CommandCall): Promise<number> {
  output.out(completionScript(args[0] as (typeof shells)[number], "etcdutl"));
  return ExitCode.success;
}
