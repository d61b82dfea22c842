/** The server program: settings, log, server. Answers with the status to end with. */
import { readFileSync, writeSync } from "node:fs";
import type { Config, LoggingSettings, Notice } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { createLogger, type Logger } from "../lib/logger.ts";
import { defaultHost } from "../runtime/default-host.ts";
import { type LogOutput, openLogOutput } from "../runtime/log-output.ts";
import { localZone, preciseWallMs } from "../runtime/wall-clock.ts";
import { withoutSecret } from "./command-line.ts";

const caller = "cmd/run-server.ts";
const plainLogging: LoggingSettings = { level: "info", format: "json", outputs: ["stderr"] };

export async function runServer(args: readonly string[]): Promise<number> {
  const loaded = await loadConfig({
    args,
    env: process.env,
    readFile: (path) => readFileSync(path, "utf8"),
    defaultHost,
  });
  switch (loaded.kind) {
    case "version": {
      const { versionText } = await import("./version.ts");
      writeSync(1, versionText());
      return 0;
    }
    case "help": {
      const { helpText, usage } = await import("../config/help.ts");
      writeSync(2, `${usage}\n`);
      writeSync(1, `\n${helpText()}`);
      return 0;
    }
    case "usage": {
      const { usage } = await import("../config/help.ts");
      const advice = loaded.advice === undefined ? "" : `${loaded.advice}\n`;
      writeSync(2, `${loaded.message}\n${advice}${usage}\n`);
      return 2;
    }
    case "refused":
      return refuse(args, loaded.notices, loaded.logging, loaded.exitStatus);
    case "config":
      return start(args, loaded.config, loaded.notices);
  }
}

async function refuse(
  args: readonly string[],
  notices: readonly Notice[],
  logging: LoggingSettings | undefined,
  status: number,
): Promise<number> {
  const { logger, output } = openLog(logging ?? plainLogging) ?? mustOpen(plainLogging);
  announce(logger, args, notices);
  await output.close();
  return status;
}

async function start(args: readonly string[], config: Config, notices: readonly Notice[]): Promise<number> {
  const opened = openLog(config.logging, (reason) => {
    const { logger, output } = mustOpen(plainLogging);
    announce(logger, args, []);
    const place = config.places.logOutputs;
    logger.warn("failed to verify flags", { error: place === undefined ? reason : `${place}: ${reason}` });
    output.flushSync();
  });
  if (!opened) return 1;
  const { logger, output } = opened;
  // The last resort for lines that are still on their way when something ends the process at once.
  process.once("exit", () => output.flushSync());
  announce(logger, args, notices);
  const { serve } = await import("./serve.ts");
  const status = await serve(config, logger);
  await output.close();
  return status;
}

interface OpenLog {
  readonly logger: Logger;
  readonly output: LogOutput;
}

function openLog(logging: LoggingSettings, onFailure?: (reason: string) => void): OpenLog | undefined {
  try {
    return mustOpen(logging);
  } catch (cause) {
    onFailure?.((cause as Error).message);
    return undefined;
  }
}

function mustOpen({ level, format, outputs, rotation }: LoggingSettings): OpenLog {
  const onDropped = (lines: number) => logger.warn("lines of the log were dropped", { lines });
  const output = openLogOutput(outputs, onDropped, rotation);
  const logger = createLogger({
    sink: output,
    wallMs: preciseWallMs,
    zone: localZone,
    level,
    format,
    caller,
  });
  return { logger, output };
}

function announce(logger: Logger, args: readonly string[], notices: readonly Notice[]): void {
  logger.info("Running: ", { args: [process.argv0, ...args.map(withoutSecret)] });
  for (const { level, caller: from, message, fields } of notices) logger.at(from)[level](message, fields);
}
