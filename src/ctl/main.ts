/** etcdctl: its commands, and ours beyond them. Each is loaded when it is asked for. */
import { type Command, runCommand } from "../lib/command-line/command.ts";
import { Exit, QuietExit } from "./exit.ts";
import { globalFlags } from "./global-flags.ts";
import type { CtlIo } from "./io.ts";
import { authCommands } from "./tree/auth.ts";
import { beyondCommands } from "./tree/beyond.ts";
import { runnerFor } from "./tree/build.ts";
import { kvCommands } from "./tree/kv.ts";
import { maintenanceCommands } from "./tree/maintenance.ts";
import { concurrencyCommands, utilityCommands } from "./tree/utility.ts";

export interface CtlOptions {
  /** Shows the commands and flags that etcdctl does not have. They work in any case. */
  readonly showsBeyond: boolean;
}

export function ctlCommands(io: CtlIo, { showsBeyond }: CtlOptions): Command {
  const run = runnerFor(io);
  return {
    use: "etcdctl",
    short: "A simple command line client for etcd3.",
    persistentFlags: globalFlags,
    commands: [
      ...kvCommands(run),
      ...maintenanceCommands(run),
      ...concurrencyCommands(run),
      ...authCommands(run),
      ...utilityCommands(run),
      ...beyondCommands(run).map((command) => ({ ...command, isHidden: !showsBeyond })),
    ],
  };
}

const helpEnd =
  'Use "etcdctl options" for a list of global command-line options (applies to all commands).\n';

/** Gives the status to end with. */
export async function runCtl(words: readonly string[], io: CtlIo, options: CtlOptions): Promise<number> {
  const commands = ctlCommands(io, options);
  try {
    if (words[0] === "__complete") {
      const { complete } = await import("../lib/command-line/complete.ts");
      io.out(complete(commands, words.slice(1)));
      return 0;
    }
    return await runCommand(commands, words, io, { helpEnd, isBrief: true });
  } catch (error) {
    if (error instanceof QuietExit) return error.status;
    if (!(error instanceof Exit)) throw error;
    io.err(`Error: ${error.message}\n`);
    return error.status;
  }
}
