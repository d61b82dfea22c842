import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { entries, options } from "./config.ts";
import { type Kind, variableOf } from "./option.ts";
import { adviceFor, ignoredFlags, ignoredKeys, removedFlags } from "./removed-flags.ts";

/**
 * What etcd 3.7.3's flag set says of itself: name, Go type, whether it is boolean, default. Four flags are added to it
 * elsewhere, two of which are no settings (config-file, version).
 */
const facts = readFileSync(new URL("./testdata/etcd-3.7.3-flags.txt", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => line.split("|") as [string, string, string, string]);
const addedElsewhere = ["discovery-fallback", "initial-cluster-state", "v2-deprecation"];

const kindsOfGo: Readonly<Record<string, (kind: Kind) => boolean>> = {
  "*flag.stringValue": ({ type }) => type === "text" || type === "retention",
  "*flag.boolValue": ({ type }) => type === "bool",
  "*flag.intValue": (kind) => kind.type === "integer" && kind.go === "int",
  "*flag.int64Value": (kind) => kind.type === "integer" && kind.go === "int64",
  "*flag.uintValue": (kind) => kind.type === "integer" && kind.go === "uint",
  "*flag.uint64Value": (kind) => kind.type === "integer" && kind.go === "uint64",
  "*flags.uint32Value": (kind) => kind.type === "integer" && kind.go === "uint32",
  "*flag.durationValue": ({ type }) => type === "duration",
  "*flags.UniqueURLs": ({ type }) => type === "urls" || type === "origins",
  "*flags.UniqueStringsValue": ({ type }) => type === "set",
  "*flags.StringsValue": ({ type }) => type === "list",
  "*featuregate.featureGate": ({ type }) => type === "gates",
};

/** etcd says "nothing", and means these. */
const spelledOut: Readonly<Record<string, string>> = {
  "backend-bbolt-freelist-type": "map",
  "compaction-batch-limit": "1000",
  "compaction-sleep-interval": "10ms",
  "data-dir": "<name>.etcd",
  "watch-progress-notify-interval": "10m0s",
};

describe("the tables of settings", () => {
  const byFlag = new Map(entries.map(([, option]) => [option.flag, option]));

  it("have every flag of etcd, and of others only those marked as ours", () => {
    const etcd = [...facts.map(([name]) => name), ...addedElsewhere].sort();
    const ours = entries.filter(([, option]) => !option.ours).map(([, option]) => option.flag);
    assert.deepEqual(ours.sort(), etcd);
    assert.equal(byFlag.size, entries.length, "a flag is there twice");
  });

  it("have etcd's types and defaults", () => {
    for (const [name, goType, isBool, byDefault] of facts) {
      const option = byFlag.get(name);
      assert.ok(option);
      assert.ok(kindsOfGo[goType]?.(option.kind), `${name}: ${goType} is not ${option.kind.type}`);
      assert.equal(option.kind.type === "bool", isBool === "true", name);
      assert.equal(option.defaultText, spelledOut[name] ?? byDefault, name);
    }
  });

  it("give each key of YAML to one setting", () => {
    const keys = entries.flatMap(([, { yaml }]) => yaml ?? []);
    assert.equal(new Set(keys).size, keys.length);
    const sections = new Set(
      keys.flatMap((key) => (key.includes(".") ? [key.slice(0, key.indexOf("."))] : [])),
    );
    for (const key of keys) assert.ok(!sections.has(key), `${key} is both a key and a section`);
    for (const key of Object.keys(ignoredKeys)) assert.ok(!keys.includes(key), key);
  });

  it("say in the name of a field what its unit is", () => {
    for (const [field, option] of entries) {
      if (option.kind.type === "duration") assert.match(field, /Ms$/);
      if (option.flag.endsWith("-bytes")) assert.match(field, /Bytes$/);
    }
    assert.equal(options.heartbeatIntervalMs.flag, "heartbeat-interval");
    assert.equal(options.authTokenTtlSeconds.flag, "auth-token-ttl");
  });

  it("explain themselves in one line", () => {
    for (const [field, option] of entries) {
      assert.match(option.help, /^[^\n]{10,130}[.)]$/, field);
      if (option.status.is === "accepted") assert.ok(option.status.why.length > 5, field);
    }
  });

  it("are frozen where a setting is a list", () => {
    for (const [field, { default: value }] of entries) {
      if (typeof value === "object") assert.ok(Object.isFrozen(value), field);
    }
  });
});

describe("what older etcds had", () => {
  it("is not what 3.7 has", () => {
    const now = new Set(entries.map(([, { flag }]) => flag));
    for (const flag of [...Object.keys(removedFlags), ...ignoredFlags]) assert.ok(!now.has(flag), flag);
  });

  it("comes with advice that names flags and gates of today", () => {
    const now = new Set(entries.map(([, { flag }]) => flag));
    for (const advice of Object.values(removedFlags)) {
      for (const [, flag] of advice.matchAll(/--([a-z0-9-]+)/g)) assert.ok(now.has(flag as string), advice);
    }
    assert.equal(adviceFor("constructor"), undefined);
  });
});

it("a variable is named after its flag", () => {
  assert.equal(variableOf("listen-client-urls"), "ETCD_LISTEN_CLIENT_URLS");
});
