/** From single values to a `Config`: defaults, rules that tie settings together, checks, and what it all means. */

import { type EtcdUrl, parseEtcdUrl } from "../lib/etcd-url.ts";
import { formatGoDuration } from "../lib/go-duration.ts";
import { autoCompactionOf, checkSettings, maxRequestBytesMax } from "./check.ts";
import { checkLogging } from "./check-logging.ts";
import {
  type Config,
  ConfigError,
  entries,
  type FieldName,
  type LoggingSettings,
  type Notice,
  options,
  type Places,
  type Settings,
} from "./config.ts";
import { gateEntries } from "./feature-gates.ts";
import type { Option } from "./option.ts";

const caller = "config/assemble.ts";

export interface Ingredients {
  /** Finished values (see `finishValue`) of the settings that somebody has set. */
  readonly values: ReadonlyMap<FieldName, unknown>;
  /** Flags that somebody has set; more than `values` if a value was empty. */
  readonly explicit: ReadonlySet<string>;
  readonly configFile?: string;
  readonly places?: Places;
  /** The address under which the machine is known to others, if it has one. Asked for only when it matters. */
  readonly defaultHost?: () => string | undefined;
  /** Hears of the log's settings once they are known to be good, before the rest is checked. */
  readonly onLogging?: (logging: LoggingSettings) => void;
  /** Takes what is worth a line in the log, also when the rest is refused. */
  readonly notices: Notice[];
}

/** Throws a `ConfigError`. The answer is frozen. */
export function assembleConfig(ingredients: Ingredients): Config {
  const { explicit, notices } = ingredients;
  const settings = withRules(settingsOf(ingredients.values), ingredients);
  const { logging, notices: aboutLogging } = checkLogging(settings);
  ingredients.onLogging?.(logging);
  notices.push(...aboutLogging, ...raiseTimeouts(settings, explicit));
  notices.push(...checkSettings(settings, ingredients));
  notices.push(...withoutEffect(settings), ...gatesWithoutEffect(settings));
  notices.push(...deprecations(explicit));
  const advertised = withDefaultHost(settings, ingredients);
  const settled = settle(advertised, notices);
  return Object.freeze({
    ...settled,
    autoCompaction: Object.freeze(autoCompactionOf(settled)),
    logging: Object.freeze(logging),
    electionTicks: Math.floor(settled.electionTimeoutMs / settled.heartbeatIntervalMs),
    explicit: Object.freeze([...explicit].sort()),
    configFile: ingredients.configFile,
    places: Object.freeze(ingredients.places ?? {}),
  });
}

function settingsOf(values: ReadonlyMap<FieldName, unknown>): Settings {
  const settings: Record<string, unknown> = {};
  for (const [field, option] of entries) {
    const value = values.has(field) ? values.get(field) : option.default;
    settings[field] = option.zeroIsDefault && value === 0 ? option.default : value;
  }
  return settings as unknown as Settings;
}

/** Defaults that depend on what else is set. A file is trusted to mean what it says; etcd makes this difference. */
function withRules(settings: Settings, { explicit, configFile }: Ingredients): Settings {
  const changed: { -readonly [Field in FieldName]?: Settings[Field] } = {};
  const fromFile = configFile !== undefined;
  if (!fromFile && explicit.has("listen-client-urls") && !explicit.has("advertise-client-urls")) {
    changed.advertiseClientUrls = [];
  }
  const discovers = settings.discoverySrv !== "" || settings.discoveryEndpoints.length > 0;
  const untouched = fromFile
    ? settings.initialCluster === options.initialCluster.default
    : !explicit.has("initial-cluster");
  if (untouched && (discovers || (!fromFile && settings.discoverySrvName !== "")))
    changed.initialCluster = "";
  if (!fromFile && settings.discoveryFallback === "proxy") {
    throw new ConfigError('v2 proxy is deprecated, and --discovery-fallback can\'t be configured as "proxy"');
  }
  return { ...settings, ...changed };
}

const raftTimeoutMsMin = 5_000;

function raiseTimeouts(settings: Settings, explicit: ReadonlySet<string>): Notice[] {
  const low: [string, number][] = [
    ["raft-read-timeout", settings.raftReadTimeoutMs],
    ["raft-write-timeout", settings.raftWriteTimeoutMs],
  ];
  return low
    .filter(([flag, ms]) => explicit.has(flag) && ms < raftTimeoutMsMin)
    .map(([flag]) => {
      const message = `${flag} increased to minimum value: ${formatGoDuration(raftTimeoutMsMin)}`;
      return { level: "info", caller, message };
    });
}

/** One warning for each setting that was changed and does nothing. */
function withoutEffect(settings: Settings): Notice[] {
  return entries.flatMap(([field, option]): Notice[] => {
    const { status } = option;
    if (sameValue(settings[field], option.default)) return [];
    if (status.is === "accepted") {
      const message = `--${option.flag} has no effect: ${status.why}`;
      return [{ level: "warn", caller, message, fields: { flag: option.flag } }];
    }
    return [];
  });
}

function gatesWithoutEffect({ featureGates }: Settings): Notice[] {
  return gateEntries.flatMap(([name, gate]): Notice[] => {
    if (featureGates[name] === gate.default) return [];
    const setting = `${name}=${featureGates[name]}`;
    const fields = { "feature-gate": setting };
    if (gate.accepted === undefined) return [];
    return [
      { level: "warn", caller, message: `feature gate ${setting} has no effect: ${gate.accepted}`, fields },
    ];
  });
}

const sameValue = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function deprecations(explicit: ReadonlySet<string>): Notice[] {
  return entries.flatMap(([, { flag, status }]: readonly [FieldName, Option]): Notice[] =>
    status.is === "deprecated" && explicit.has(flag)
      ? [{ level: "warn", caller, message: status.message }]
      : [],
  );
}

/**
 * Who listens on every address and says nothing of how to be reached is reached under the machine's own address; and
 * who gives only a name is a cluster of one under that name.
 */
function withDefaultHost(settings: Settings, { defaultHost, notices }: Ingredients): Settings {
  const peer = wildcard(
    settings.listenPeerUrls,
    settings.initialAdvertisePeerUrls,
    "initialAdvertisePeerUrls",
  );
  const client = wildcard(settings.listenClientUrls, settings.advertiseClientUrls, "advertiseClientUrls");
  const host = peer || client ? defaultHost?.() : undefined;
  const at = (url: EtcdUrl): EtcdUrl => parseEtcdUrl(`http://${bracketed(host as string)}:${url.port}`);
  const changed: { -readonly [Field in FieldName]?: Settings[Field] } = {};
  if (host !== undefined) {
    if (peer) changed.initialAdvertisePeerUrls = Object.freeze([at(peer)]);
    if (client) changed.advertiseClientUrls = Object.freeze([at(client)]);
    notices.push({ level: "info", caller, message: "detected default host for advertise", fields: { host } });
  } else if (peer || client) {
    notices.push({ level: "info", caller, message: "failed to detect default host" });
  }
  const { name } = settings;
  if (name !== options.name.default && settings.initialCluster === options.initialCluster.default) {
    const urls = changed.initialAdvertisePeerUrls ?? settings.initialAdvertisePeerUrls;
    changed.initialCluster = urls.map((url) => `${name === "" ? "default" : name}=${url.href}`).join(",");
  }
  return { ...settings, ...changed };
}

/** The URL that listens on 0.0.0.0 while the advertised one is the default. */
function wildcard(
  listen: readonly EtcdUrl[],
  advertised: readonly EtcdUrl[],
  field: "initialAdvertisePeerUrls" | "advertiseClientUrls",
): EtcdUrl | undefined {
  const [first] = listen;
  const isDefault = sameValue(advertised, options[field].default);
  return isDefault && first?.hostname === "0.0.0.0" ? first : undefined;
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/** The last touches, which nobody has to be told to expect. */
function settle(settings: Settings, notices: Notice[]): Settings {
  let { dataDir } = settings;
  if (dataDir === "") {
    dataDir = `${settings.name}.etcd`;
    const fields = { "data-dir": dataDir };
    notices.push({ level: "warn", caller, message: "'data-dir' was empty; using default", fields });
  }
  return {
    ...settings,
    dataDir,
    maxRequestBytes: Math.min(settings.maxRequestBytes, maxRequestBytesMax),
    raftReadTimeoutMs: Math.max(settings.raftReadTimeoutMs, raftTimeoutMsMin),
    raftWriteTimeoutMs: Math.max(settings.raftWriteTimeoutMs, raftTimeoutMsMin),
  };
}
