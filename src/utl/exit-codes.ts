/** How etcdutl ends, and with which status. */
import type { CommandOutput } from "../lib/command-line/command.ts";

export const ExitCode = { success: 0, error: 1, badFeature: 4, badArguments: 128 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Says what is wrong and gives the status to end with. */
export function failWith(output: CommandOutput, code: ExitCode, error: unknown): ExitCode {
  output.err(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
  return code;
}
