/**
 * The one frozen object that says how a member is to run. Its fields are the entries of the tables in `options/`; what
 * several of them mean together is worked out once, in `Derived`.
 */

import type { LogFormat, LogLevel } from "../lib/logger.ts";
import type { LogRotation } from "../runtime/rotating-file.ts";
import type { Option } from "./option.ts";
import { authOptions } from "./options/auth.ts";
import { clusteringOptions } from "./options/clustering.ts";
import { featureOptions } from "./options/features.ts";
import { loggingOptions } from "./options/logging.ts";
import { memberOptions } from "./options/member.ts";
import { monitoringOptions } from "./options/monitoring.ts";
import { securityOptions } from "./options/security.ts";
import { storageOptions } from "./options/storage.ts";
import { tracingOptions } from "./options/tracing.ts";
import { unsafeOptions } from "./options/unsafe.ts";

/** The tables by theme, in the order of --help. */
export const themes = {
  Member: memberOptions,
  Storage: storageOptions,
  Clustering: clusteringOptions,
  Security: securityOptions,
  Auth: authOptions,
  "Profiling and monitoring": monitoringOptions,
  Logging: loggingOptions,
  "Distributed tracing": tracingOptions,
  Features: featureOptions,
  Unsafe: unsafeOptions,
} as const;

/** All entries by field. */
export const options = {
  ...memberOptions,
  ...storageOptions,
  ...clusteringOptions,
  ...securityOptions,
  ...authOptions,
  ...monitoringOptions,
  ...loggingOptions,
  ...tracingOptions,
  ...featureOptions,
  ...unsafeOptions,
} as const;

export type FieldName = keyof typeof options;

/** What each entry stands for, by field. Names say the unit. */
export type Settings = { readonly [Field in FieldName]: (typeof options)[Field]["default"] };

/** What the settings mean together. */
export interface Derived {
  /** Undefined: history is kept for ever. */
  readonly autoCompaction: AutoCompaction | undefined;
  readonly logging: LoggingSettings;
  /** Election timeout in ticks, as Raft wants it: electionTimeoutMs / heartbeatIntervalMs, rounded down. */
  readonly electionTicks: number;
  /** Flags (by name) that somebody has set, on the command line, in the environment, or in the file. Sorted. */
  readonly explicit: readonly string[];
  /** The YAML file that the settings come from. */
  readonly configFile: string | undefined;
  /** Where in that file each of its settings is. */
  readonly places: Places;
}

export type AutoCompaction =
  | { readonly mode: "periodic"; readonly retentionMs: number }
  | { readonly mode: "revision"; readonly retentionRevisions: number };

export interface LoggingSettings {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** "stderr", "stdout", or the path of a file: sorted, each once. "/dev/null" alone drops everything. */
  readonly outputs: readonly string[];
  /** Of the one file among the outputs. */
  readonly rotation?: LogRotation;
}

export type Config = Settings & Derived;

/** Something to log once there is a logger. */
export interface Notice {
  readonly level: "debug" | "info" | "warn" | "fatal";
  /** The file that has something to say. */
  readonly caller: string;
  readonly message: string;
  readonly fields?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/** Settings that a member cannot run with. `message` is etcd's where etcd has one. */
export class ConfigError extends Error {
  /** What the program ends with: 1, or 2 where etcd would crash. */
  readonly exitStatus: number;
  /** The settings that are at fault, where the text alone does not say in which line of a file they are. */
  readonly settings: readonly FieldName[];

  constructor(message: string, { exitStatus = 1, settings = [] }: ConfigErrorOptions = {}) {
    super(message);
    this.name = "ConfigError";
    this.exitStatus = exitStatus;
    this.settings = settings;
  }
}

export interface ConfigErrorOptions {
  readonly exitStatus?: number;
  readonly settings?: readonly FieldName[];
}

/** Where the settings of a file are, and under which key: "c.yml:6:18: log-level". */
export type Places = Readonly<Partial<Record<FieldName, string>>>;

/** What is wrong, and in which line of the configuration file, if that is known. */
export function withPlace(cause: unknown, places: Places): unknown {
  if (!(cause instanceof ConfigError)) return cause;
  const { exitStatus, settings, message } = cause;
  const place = settings.map((field) => places[field]).find((known) => known !== undefined);
  return place === undefined ? cause : new ConfigError(`${place}: ${message}`, { exitStatus });
}

/** The entries as a list, each with its field. */
export const entries: readonly (readonly [FieldName, Option])[] = Object.entries(options) as [
  FieldName,
  Option,
][];

const byFlag = new Map<string, FieldName>(entries.map(([field, option]) => [option.flag, field]));

/** The field that a flag sets. */
export const fieldOfFlag = (flag: string): FieldName | undefined => byFlag.get(flag);
