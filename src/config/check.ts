/**
 * Checks what no single setting can tell, in etcd's order and words: who has two faults hears of the one that etcd
 * would name. What needs the data folder (is this member new?) is in bootstrap.ts.
 */
import { formatGoDuration, parseGoDuration } from "../lib/go-duration.ts";
import { goQuote } from "../lib/go-quote.ts";
import { humanBytes } from "../lib/human-bytes.ts";
import { checkUrls } from "./check-urls.ts";
import { cipherSuites } from "./cipher-suites.ts";
import { type AutoCompaction, ConfigError, type FieldName, type Notice, type Settings } from "./config.ts";
import { toSafe } from "./parse-value.ts";

const caller = "config/check.ts";
const electionTimeoutMsMax = 50_000;
const recommendedRequestBytes = 10 * 1024 * 1024;
/** A gRPC message is counted in 32 bits, and etcd allows 512 KiB of wrapping. */
export const maxRequestBytesMax = 2 ** 31 - 1 - 512 * 1024;

export interface CheckContext {
  /** Settings that somebody has set, by flag. */
  readonly explicit: ReadonlySet<string>;
}

/** Throws a `ConfigError`, or answers with what is worth a line in the log. */
export function checkSettings(settings: Settings, context: CheckContext): Notice[] {
  const notices: Notice[] = [];
  const warn = (message: string, fields?: Notice["fields"]) =>
    notices.push({ level: "warn", caller, message, ...(fields && { fields }) });
  checkUrls(settings);
  checkBootstrapSources(settings);
  checkTimes(settings);
  if (settings.advertiseClientUrls.length === 0) {
    throw new ConfigError(unsetAdvertiseClientUrls);
  }
  checkCompactionMode(settings.autoCompactionMode);
  checkTracing(settings);
  checkGates(settings, warn);
  if (settings.compactHashCheckTimeMs <= 0) {
    const shown = formatGoDuration(settings.compactHashCheckTimeMs);
    throw new ConfigError(`--compact-hash-check-time must be >0 (set to ${shown})`, {
      settings: ["compactHashCheckTimeMs"],
    });
  }
  if (settings.name === "default") {
    warn(
      "it isn't recommended to use default name, please set a value for --name. " +
        "Note that etcd might run into issue when multiple members have the same default name",
      { name: settings.name },
    );
  }
  checkTls(settings);
  checkRequestSize(settings, warn);
  if (settings.autoCompactionMode === "revision" && /[a-zµμ]$/.test(settings.autoCompactionRetention)) {
    warn("--auto-compaction-retention is a duration, but --auto-compaction-mode counts revisions", {
      "auto-compaction-retention": settings.autoCompactionRetention,
    });
  }
  if (settings.unsafeNoFsync && context.explicit.has("unsafe-no-fsync")) {
    warn("--unsafe-no-fsync: acknowledged writes are lost when the machine stops");
  }
  return notices;
}

/** etcd follows this one with a line of its own. */
export const unsetAdvertiseClientUrls =
  "--advertise-client-urls is required when --listen-client-urls is set explicitly";

type Warn = (message: string, fields?: Notice["fields"]) => void;

function checkBootstrapSources(settings: Settings): void {
  const sources = [
    settings.initialCluster !== "",
    settings.discoverySrv !== "",
    settings.discoveryEndpoints.length > 0,
  ];
  if (sources.filter(Boolean).length > 1) {
    throw new ConfigError(
      "multiple discovery or bootstrap flags are set. " +
        'Choose one of "initial-cluster", "discovery-endpoints" or "discovery-srv"',
      { settings: ["discoveryEndpoints", "discoverySrv"] },
    );
  }
  if ((settings.discoveryToken !== "") !== settings.discoveryEndpoints.length > 0) {
    throw new ConfigError("both --discovery-token and --discovery-endpoints must be set", {
      settings: ["discoveryToken", "discoveryEndpoints"],
    });
  }
  if (settings.discoveryEndpoints.some((endpoint) => endpoint.trim() === "")) {
    throw new ConfigError("--discovery-endpoints must not contain empty endpoints", {
      settings: ["discoveryEndpoints"],
    });
  }
}

function checkTimes({ heartbeatIntervalMs: tick, electionTimeoutMs: election }: Settings): void {
  const wrong = (message: string, ...settings: FieldName[]) => new ConfigError(message, { settings });
  if (tick === 0) throw wrong(`--heartbeat-interval must be >0 (set to ${tick}ms)`, "heartbeatIntervalMs");
  if (election === 0)
    throw wrong(`--election-timeout must be >0 (set to ${election}ms)`, "electionTimeoutMs");
  if (5 * tick > election) {
    throw wrong(
      `--election-timeout[${election}ms] should be at least as 5 times as --heartbeat-interval[${tick}ms]`,
      "electionTimeoutMs",
      "heartbeatIntervalMs",
    );
  }
  if (election > electionTimeoutMsMax) {
    throw wrong(
      `--election-timeout[${election}ms] is too long, and should be set less than ${electionTimeoutMsMax}ms`,
      "electionTimeoutMs",
    );
  }
}

function checkCompactionMode(mode: string): void {
  if (mode === "periodic" || mode === "revision") return;
  throw new ConfigError(
    mode === "" ? "undefined auto-compaction-mode" : `unknown auto-compaction-mode ${goQuote(mode)}`,
    { settings: ["autoCompactionMode"] },
  );
}

function checkTracing(settings: Settings): void {
  if (!settings.enableDistributedTracing) return;
  const rate = settings.distributedTracingSamplingRatePerMillion;
  const wrong = (why: string) =>
    new ConfigError(`distributed tracing configurition is not valid: (${why})`, {
      settings: ["distributedTracingSamplingRatePerMillion"],
    });
  if (rate < 0) throw wrong("tracing sampling rate must be positive");
  if (rate > 1_000_000) throw wrong("tracing sampling rate must be less than 1000000");
}

function checkGates({ featureGates }: Settings, warn: Warn): void {
  if (featureGates.LeaseCheckpoint && !featureGates.LeaseCheckpointPersist) {
    warn(
      "Detected that checkpointing is enabled without persistence. " +
        "Consider enabling feature gate LeaseCheckpointPersist",
    );
  }
  if (featureGates.LeaseCheckpointPersist && !featureGates.LeaseCheckpoint) {
    throw new ConfigError(
      "enabling feature gate LeaseCheckpointPersist requires enabling feature gate LeaseCheckpoint",
      { settings: ["featureGates"] },
    );
  }
}

const tlsVersions = ["TLS1.2", "TLS1.3"];

function checkTls(settings: Settings): void {
  const { tlsMinVersion: min, tlsMaxVersion: max } = settings;
  const wrong = (field: FieldName, message: string) => new ConfigError(message, { settings: [field] });
  for (const field of ["tlsMinVersion", "tlsMaxVersion"] as const) {
    const version = settings[field];
    if (version === "" || tlsVersions.includes(version)) continue;
    throw wrong(field, `unexpected TLS version ${goQuote(version)} (must be one of: TLS1.2, TLS1.3)`);
  }
  if (max !== "" && min > max) {
    throw wrong("tlsMinVersion", `min version (${min}) is greater than max version (${max})`);
  }
  if (min === "TLS1.3" && settings.cipherSuites.length > 0) {
    throw wrong("cipherSuites", "cipher suites cannot be configured when only TLS1.3 is enabled");
  }
  const unknown = settings.cipherSuites.find((suite) => !Object.hasOwn(cipherSuites, suite));
  if (unknown !== undefined) {
    throw wrong("cipherSuites", `unexpected TLS cipher suite ${goQuote(unknown)}`);
  }
}

function checkRequestSize({ maxRequestBytes }: Settings, warn: Warn): void {
  if (maxRequestBytes > maxRequestBytesMax) {
    warn("requests cannot be that large; taking the largest possible", {
      "max-request-bytes": maxRequestBytes,
      "largest-possible": maxRequestBytesMax,
    });
  }
  if (maxRequestBytes <= recommendedRequestBytes) return;
  warn("exceeded recommended request limit", {
    "max-request-bytes": maxRequestBytes,
    "max-request-size": humanBytes(maxRequestBytes),
    "recommended-request-bytes": recommendedRequestBytes,
    "recommended-request-size": humanBytes(recommendedRequestBytes),
  });
}

/**
 * What `--auto-compaction-mode` and `--auto-compaction-retention` mean together: a bare number is hours or revisions.
 * Throws a `ConfigError`.
 */
export function autoCompactionOf(settings: Settings): AutoCompaction | undefined {
  const { autoCompactionMode: mode, autoCompactionRetention: text } = settings;
  const count = /^\+?[0-9]+$|^$/.test(text) ? toSafe(BigInt(text)) : undefined;
  const retentionMs = count === undefined ? durationOf(text) : count * 3_600_000;
  if (retentionMs === 0) return undefined;
  if (retentionMs < 0) {
    throw new ConfigError(`--auto-compaction-retention must be >=0 (set to ${text})`, {
      settings: ["autoCompactionRetention"],
    });
  }
  // A duration in revision mode is as many revisions as it has nanoseconds: etcd's meaning, if hardly anybody's.
  if (mode === "revision") return { mode, retentionRevisions: count ?? Math.round(retentionMs * 1e6) };
  return { mode: "periodic", retentionMs };
}

function durationOf(text: string): number {
  try {
    return parseGoDuration(text);
  } catch (cause) {
    throw new ConfigError(`error parsing CompactionRetention: ${(cause as Error).message}`, {
      settings: ["autoCompactionRetention"],
    });
  }
}
