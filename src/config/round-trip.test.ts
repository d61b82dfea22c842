/** Every setting, given in every way there is, comes to the same `Config`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Config, entries, type FieldName, type Settings } from "./config.ts";
import { configFromObject, type SettingsInput } from "./from-object.ts";
import { type Option, variableOf } from "./option.ts";
import { loadGood, loadYaml, warnings } from "./testing/load.ts";

interface Sample {
  /** For a flag or a variable. */
  readonly text: string;
  /** For YAML. */
  readonly yaml: string;
  /** For a program. */
  readonly plain: unknown;
  /** In `Config`. */
  readonly value: unknown;
}

const same = (text: string): Sample => ({ text, yaml: `'${text}'`, plain: text, value: text });
const number = (value: number): Sample => ({ text: String(value), yaml: String(value), plain: value, value });
const url = (href: string, hostname: string, port: number) => ({
  scheme: "http",
  href,
  hostname,
  port,
  socketPath: "",
});
const words = (text: string, value: readonly string[]): Sample => ({
  text,
  yaml: `[${text}]`,
  plain: text.split(","),
  value,
});

/** Where a value must be a certain one to be good. */
const special: Partial<Record<FieldName, Sample>> = {
  heartbeatIntervalMs: number(150),
  electionTimeoutMs: number(1_500),
  raftReadTimeoutMs: { text: "6s", yaml: "6000000000", plain: 6_000, value: 6_000 },
  raftWriteTimeoutMs: { text: "6s", yaml: "'6s'", plain: 6_000, value: 6_000 },
  cipherSuites: words("TLS_RSA_WITH_AES_128_CBC_SHA", ["TLS_RSA_WITH_AES_128_CBC_SHA"]),
  tlsMinVersion: same("TLS1.3"),
  tlsMaxVersion: same("TLS1.3"),
  logLevel: same("debug"),
  logFormat: same("console"),
  logger: same("zap"),
  logOutputs: words("stdout,a.log,stdout", ["a.log", "stdout"]),
  autoCompactionMode: same("revision"),
  autoCompactionRetention: same("5m"),
  logRotationConfigJson: same('{"maxsize": 1}'),
  quotaBackendBytes: number(8_589_934_592),
  maxConcurrentStreams: number(4_294_967_294),
};

/** Settings that need company to be accepted. */
const company: Partial<Record<FieldName, SettingsInput>> = {
  discoveryToken: { discoveryEndpoints: ["a"] },
  discoveryEndpoints: { discoveryToken: "t" },
  listenClientUrls: { advertiseClientUrls: ["http://localhost:2379"] },
  enableLogRotation: { logOutputs: ["a.log"] },
  initialCluster: {},
};

function sampleOf(field: FieldName, { kind, default: byDefault }: Option): Sample {
  const chosen = special[field];
  if (chosen) return chosen;
  switch (kind.type) {
    case "text":
      return same("some 'thing'".replaceAll("'", ""));
    case "retention":
      return same("7");
    case "bool":
      return {
        text: String(!byDefault),
        yaml: byDefault ? "no" : "yes",
        plain: !byDefault,
        value: !byDefault,
      };
    case "integer":
      return number(7);
    case "duration":
      return { text: "1m1.5s", yaml: "61500000000", plain: 61_500, value: 61_500 };
    case "urls": {
      const urls = [url("http://10.0.0.1:1", "10.0.0.1", 1), url("http://10.0.0.2:2", "10.0.0.2", 2)];
      const text = "http://10.0.0.2:2,http://10.0.0.1:1,http://10.0.0.2:2";
      return { text, yaml: `"${text}"`, plain: text.split(","), value: urls };
    }
    case "origins":
      return words("http://b:1,http://a:1", ["http://a:1", "http://b:1"]);
    case "list":
      return words("b,a,b", ["b", "a", "b"]);
    case "set":
      return words("b,a,b", ["a", "b"]);
    case "choice": {
      const other = kind.of.find((word) => word !== byDefault) as string;
      return same(other);
    }
    case "choices":
      return words("gone", ["gone"]);
    case "gates":
      return same("PriorityRequest=true");
  }
}

const flagsOf = (input: SettingsInput): string[] =>
  Object.entries(input).map(([field, value]) => {
    const [, option] = entries.find(([name]) => name === field) as (typeof entries)[number];
    return `--${option.flag}=${value}`;
  });

/** A file with these keys: texts of YAML by key with dots. */
function yamlOf(values: readonly (readonly [string, string])[], depth = 0): string {
  const heads = new Set(values.map(([key]) => key.split(".")[0] as string));
  return [...heads]
    .map((head) => {
      const whole = values.find(([key]) => key === head);
      if (whole) return `${"  ".repeat(depth)}${head}: ${whole[1]}\n`;
      const inner = values.filter(([key]) => key.startsWith(`${head}.`));
      const rest = inner.map(([key, value]) => [key.slice(head.length + 1), value] as const);
      return `${"  ".repeat(depth)}${head}:\n${yamlOf(rest, depth + 1)}`;
    })
    .join("");
}

/** What a value is for, besides where it came from. */
function meaning(config: Config): Partial<Config> {
  const { explicit: _explicit, configFile: _configFile, places: _places, ...rest } = config;
  return rest;
}

for (const [field, option] of entries) {
  const sample = sampleOf(field, option);
  const extra = company[field] ?? {};
  const check = (config: Config) => {
    const expected =
      field === "featureGates" ? { ...(option.default as object), PriorityRequest: true } : sample.value;
    assert.deepEqual(config[field], expected);
    assert.ok(config.explicit.includes(option.flag));
  };

  describe(`--${option.flag}`, () => {
    // The only flag of etcd's that can be said but must not be meant.
    if (field === "discoveryFallback") return;

    it("can be a flag, a variable or a field", async () => {
      const others = flagsOf(extra);
      const spaced =
        option.kind.type === "bool" ? [`-${option.flag}=${sample.text}`] : [`-${option.flag}`, sample.text];
      const byFlag = (await loadGood({ args: [...others, ...spaced] })).config;
      const byEquals = (await loadGood({ args: [`--${option.flag}=${sample.text}`, ...others] })).config;
      const byVariable = (await loadGood({ args: others, env: { [variableOf(option.flag)]: sample.text } }))
        .config;
      const byField = configFromObject({ ...extra, [field]: sample.plain } as SettingsInput);
      for (const config of [byFlag, byEquals, byVariable, byField]) {
        check(config);
        assert.ok(Object.isFrozen(config));
        assert.deepEqual(meaning(config), meaning(byFlag));
      }
    });

    it("can be a key", async () => {
      if (option.yaml === undefined) return;
      const { config } = await loadYaml(yamlOf([[option.yaml, sample.yaml], ...keysOf(extra)]));
      check(config);
      assert.equal(config.configFile, "c.yml");
      const byFlag = (await loadGood({ args: [...flagsOf(extra), `--${option.flag}=${sample.text}`] }))
        .config;
      // Of all that speaks of discovery this one takes the default cluster away from the command line only, as in etcd.
      const expected =
        field === "discoverySrvName"
          ? { ...meaning(byFlag), initialCluster: config.initialCluster }
          : meaning(byFlag);
      assert.deepEqual(meaning(config), expected);
    });

    it("warns once if it does nothing, and never if it has its default", async () => {
      const mentioned = async (args: string[]) =>
        warnings((await loadGood({ args })).notices).filter((line) => line.startsWith(`--${option.flag} `))
          .length;
      const others = flagsOf(extra);
      const same = JSON.stringify(sample.value) === JSON.stringify(option.default);
      const expected = option.status.is === "works" || same ? 0 : 1;
      assert.equal(await mentioned([...others, `--${option.flag}=${sample.text}`]), expected);
    });
  });
}

function keysOf(input: SettingsInput): [string, string][] {
  return Object.entries(input).map(([field, value]) => {
    const [, option] = entries.find(([name]) => name === field) as (typeof entries)[number];
    return [option.yaml as string, `"${value}"`];
  });
}

it("fields have the types that the tables say", () => {
  const settings: Settings = configFromObject({});
  const name: string = settings.name;
  const quota: number = settings.quotaBackendBytes;
  const backend: "sqlite" | "memory" = settings.storageBackend;
  const state: "new" | "existing" = settings.initialClusterState;
  const hostname: string | undefined = settings.listenClientUrls[0]?.hostname;
  const fast: boolean = settings.featureGates.FastLeaseKeepAlive;
  assert.deepEqual(
    [name, quota, backend, state, hostname, fast],
    ["default", 2_147_483_648, "sqlite", "new", "localhost", true],
  );
});
