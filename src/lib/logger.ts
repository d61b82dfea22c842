/**
 * Structured logs in the shape that etcd's have (zap's), so that whatever reads etcd's log reads ours: the same field
 * names in the same order, the same levels, the same two formats. This file knows neither files nor clocks: a line
 * goes to a `LogSink`, and the time comes from the options.
 *
 * Differences from zap, on purpose: no sampling (a line is never left out because others look alike), and `caller`
 * is a name given to a logger (`raft/progress.ts`) instead of a file and line found by walking the stack.
 */
import { type LogFields, type LogRecord, type LogZone, lineEncoder } from "./log-encoding.ts";

export type { LogFields, LogValue } from "./log-encoding.ts";

/** zap's levels, least important first. `dpanic` and `panic` exist for `--log-level`; no line of ours has them. */
export const logLevels = ["debug", "info", "warn", "error", "dpanic", "panic", "fatal"] as const;
export type LogLevel = (typeof logLevels)[number];

/** zap's encodings. */
export const logFormats = ["json", "console"] as const;
export type LogFormat = (typeof logFormats)[number];

export interface Logger {
  /** Whether a line of this level is written: ask before making fields that cost something. */
  enabled(level: LogLevel): boolean;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The last line before the process ends; on disk (or wherever it goes) when this returns. Does not end the process. */
  fatal(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each of its lines. */
  with(fields: LogFields): Logger;
  /** A logger whose lines have `caller`, by custom `folder/file.ts`. */
  at(caller: string): Logger;
  /** A logger whose lines have `logger`: the name of a part of the program, such as "raft". */
  named(name: string): Logger;
}

/** Where lines go. */
export interface LogSink {
  /** Takes a line with its line feed. With `urgent` it is written when this returns. Never throws. */
  write(line: string, urgent: boolean): void;
}

export interface LoggerOptions {
  readonly sink: LogSink;
  /** Milliseconds since 1970; a fraction gives the microseconds. */
  readonly wallMs: () => number;
  readonly level?: LogLevel;
  readonly format?: LogFormat;
  readonly caller?: string;
  /** The local zone; UTC if not given. */
  readonly zone?: LogZone;
}

/** `text` as a level, as zap reads it: in any case, "warning" for "warn", and the empty word for "info". */
export function parseLogLevel(text: string): LogLevel | undefined {
  const word = text.toLowerCase();
  if (word === "") return "info";
  if (word === "warning") return "warn";
  return logLevels.find((level) => level === word);
}

export function createLogger(options: LoggerOptions): Logger {
  const encode = lineEncoder(options.format ?? "json", options.zone);
  const threshold = logLevels.indexOf(options.level ?? "info");
  const core: LoggerCore = {
    threshold,
    emit(record) {
      options.sink.write(encode(record, options.wallMs()), record.level === "fatal");
    },
  };
  return new LeveledLogger(core, options.caller ?? "", "", []);
}

interface LoggerCore {
  readonly threshold: number;
  emit(record: LogRecord): void;
}

const rank = Object.fromEntries(logLevels.map((level, at) => [level, at])) as Record<LogLevel, number>;

class LeveledLogger implements Logger {
  readonly #core: LoggerCore;
  readonly #caller: string;
  readonly #name: string;
  readonly #context: readonly LogFields[];

  constructor(core: LoggerCore, caller: string, name: string, context: readonly LogFields[]) {
    this.#core = core;
    this.#caller = caller;
    this.#name = name;
    this.#context = context;
  }

  enabled(level: LogLevel): boolean {
    return rank[level] >= this.#core.threshold;
  }
  debug(message: string, fields?: LogFields): void {
    this.#log("debug", message, fields);
  }
  info(message: string, fields?: LogFields): void {
    this.#log("info", message, fields);
  }
  warn(message: string, fields?: LogFields): void {
    this.#log("warn", message, fields);
  }
  error(message: string, fields?: LogFields): void {
    this.#log("error", message, fields);
  }
  fatal(message: string, fields?: LogFields): void {
    this.#log("fatal", message, fields);
  }
  with(fields: LogFields): Logger {
    return new LeveledLogger(this.#core, this.#caller, this.#name, [...this.#context, fields]);
  }
  at(caller: string): Logger {
    return new LeveledLogger(this.#core, caller, this.#name, this.#context);
  }
  named(name: string): Logger {
    const full = this.#name === "" ? name : `${this.#name}.${name}`;
    return new LeveledLogger(this.#core, this.#caller, full, this.#context);
  }

  #log(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (rank[level] < this.#core.threshold) return;
    const all = fields === undefined ? this.#context : [...this.#context, fields];
    this.#core.emit({ level, logger: this.#name, caller: this.#caller, message, fields: all });
  }
}

/** Writes nothing. */
export const silentLogger: Logger = {
  enabled: () => false,
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  fatal: () => {},
  with: () => silentLogger,
  at: () => silentLogger,
  named: () => silentLogger,
};
