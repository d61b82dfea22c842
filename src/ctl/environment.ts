/** ETCDCTL_* variables: each flag that the command line leaves out may come from one. */
import type { Flag, FlagValues } from "../lib/command-line/flags.ts";
import { QuietExit } from "./exit.ts";
import type { CtlIo } from "./io.ts";

const prefix = "ETCDCTL_";
/** Read by `watch` itself. */
const watchNames = ["ETCDCTL_WATCH_KEY", "ETCDCTL_WATCH_RANGE_END"];
/** Ours: the file with contexts. */
export const configVariable = "ETCDCTL_CONFIG";

export const variableOf = (flag: string): string => prefix + flag.toUpperCase().replaceAll("-", "_");

/**
 * Sets flags from variables. A variable for a flag that was given ends the program, as with etcdctl: it would be a
 * riddle which of the two holds. Unknown ones are warned of.
 */
export async function applyEnvironment(
  flags: FlagValues,
  inherited: readonly Flag[],
  io: CtlIo,
  isWatch: boolean,
): Promise<void> {
  const used = new Set<string>([configVariable]);
  const shadowed = new Set<string>();
  for (const flag of inherited) {
    const name = variableOf(flag.name);
    const value = io.env[name];
    if (flags.isGiven(flag.name)) shadowed.add(name);
    else if (value !== undefined && value !== "") {
      used.add(name);
      try {
        flags.set(flag, value);
      } catch {
        // etcdctl goes on with the default, and so do scripts that have it wrong.
      }
    }
  }
  for (const [name, value] of Object.entries(io.env)) {
    if (used.has(name) || !name.startsWith(prefix) || (isWatch && watchNames.includes(name))) continue;
    const { loggerTo } = await import("./log-line.ts");
    const logger = loggerTo(io, "ctl/environment.ts");
    if (shadowed.has(name)) {
      logger.fatal(
        "conflicting environment variable is shadowed by corresponding command-line flag (either unset environment variable or disable flag))",
        { "environment-variable": name },
      );
      throw new QuietExit(1);
    }
    logger.warn("unrecognized environment variable", { "environment-variable": `${name}=${value}` });
  }
}
