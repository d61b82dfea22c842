import type { CommandOutput } from "../lib/command-line/command.ts";
import { createLogger, type Logger } from "../lib/logger.ts";
import { localZone } from "../runtime/wall-clock.ts";

/** A log with lines as etcdutl's are: for people, and to the second. */
export function loggerTo(output: CommandOutput, caller: string): Logger {
  const sink = { write: (line: string) => output.err(line.replace(/^(\S+?)\.\d+/, "$1")) };
  return createLogger({ sink, wallMs: () => Date.now(), zone: localZone, format: "console", caller });
}
