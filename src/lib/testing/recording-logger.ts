/** A logger that keeps its lines. */
import type { LogFields, Logger, LogLevel } from "../logger.ts";

export interface RecordedLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Adds to `lines`, if they are given. */
export function recordingLogger(
  lines: RecordedLine[] = [],
): Logger & { readonly lines: readonly RecordedLine[] } {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields });
  const logger = {
    lines,
    enabled: () => true,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    fatal: at("fatal"),
    with: () => logger,
    at: () => logger,
    named: () => logger,
  };
  return logger;
}
