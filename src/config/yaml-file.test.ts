import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { entries } from "./config.ts";
import { load, loadGood, loadYaml, warnings, yamlRefusal } from "./testing/load.ts";
import { exampleFile } from "./written-tables.ts";

const error = async (text: string) => (await yamlRefusal(text)).error;

describe("a configuration file", () => {
  it("that people write after reading about etcd starts", async () => {
    const { config } = await loadYaml(`
name: 'node1'
data-dir: '/var/lib/etcd'
listen-client-urls: 'http://localhost:2379'
advertise-client-urls: 'http://localhost:2379'
listen-peer-urls: 'http://localhost:2380'
initial-advertise-peer-urls: 'http://localhost:2380'
initial-cluster: 'node1=http://localhost:2380'
initial-cluster-token: 'etcd-cluster'
initial-cluster-state: 'new'
auto-compaction-mode: 'periodic'
auto-compaction-retention: '1h'
`);
    assert.equal(config.name, "node1");
    assert.equal(config.dataDir, "/var/lib/etcd");
    assert.equal(config.initialCluster, "node1=http://localhost:2380");
    assert.deepEqual(config.autoCompaction, { mode: "periodic", retentionMs: 3_600_000 });
  });

  it("with everything of etcd's own sample starts", async () => {
    const { config, notices } = await loadYaml(`
name: 'default'
data-dir:
wal-dir:
cors:
discovery:
discovery-fallback: 'proxy'
discovery-proxy:
discovery-srv:
initial-cluster:
strict-reconfig-check: false
enable-pprof: true
client-transport-security:
  cert-file:
  client-cert-auth: false
  auto-tls: false
peer-transport-security:
  allowed-cn:
  allowed-hostname:
self-signed-cert-validity: 1
log-level: debug
logger: zap
log-outputs: [stderr]
force-new-cluster: false
auto-compaction-mode: periodic
auto-compaction-retention: "1"
cipher-suites: [
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
]
tls-min-version: 'TLS1.2'
tls-max-version: 'TLS1.3'
`);
    assert.deepEqual(config.autoCompaction, { mode: "periodic", retentionMs: 3_600_000 });
    assert.equal(config.cipherSuites.length, 2);
    assert.deepEqual(config.logging, { level: "debug", format: "json", outputs: ["stderr"] });
    assert.ok(warnings(notices).includes("discovery-fallback has no effect: only 'exit' is left"));
    assert.ok(!warnings(notices).some((line) => line.includes('"discovery"')), "an empty key says nothing");
  });

  it("may be JSON, or empty", async () => {
    assert.equal((await loadYaml('{"name": "x", "pre-vote": false}')).config.preVote, false);
    for (const text of ["", "# nothing\n", "---\n", "~"]) {
      assert.equal((await loadYaml(text)).config.name, "default", JSON.stringify(text));
    }
  });

  it("with every key and its default means the same as none", async () => {
    const { explicit: _a, configFile: _b, places: _p, ...fromFile } = (await loadYaml(exampleFile())).config;
    const { explicit: _c, configFile: _d, places: _q, ...fromNothing } = (await loadGood({})).config;
    assert.deepEqual(fromFile, fromNothing);
    const { config } = await loadYaml(exampleFile());
    const withKeys = entries.filter(([, { yaml }]) => yaml !== undefined).map(([, { flag }]) => flag);
    assert.deepEqual(config.explicit, withKeys.sort());
  });
});

describe("words without quotes", () => {
  // What etcd 3.7.3 takes them for, found out by running it.
  it("are booleans as in YAML 1.1", async () => {
    for (const word of ["y", "on", "TRUE", "yes", '!!bool "true"']) {
      assert.equal((await loadYaml(`force-new-cluster: ${word}`)).config.forceNewCluster, true, word);
    }
    for (const word of ["n", "Off", "No", "false"]) {
      assert.equal((await loadYaml(`pre-vote: ${word}`)).config.preVote, false, word);
    }
    for (const word of ["~", "null", ""]) {
      assert.equal((await loadYaml(`pre-vote: ${word}`)).config.preVote, true, word);
    }
    assert.equal(
      await error("pre-vote: tRUE"),
      'c.yml:1:11: pre-vote: expected true or false, found the text "tRUE"',
    );
  });

  it("are numbers as in Go", async () => {
    const cases: [string, number][] = [
      ["0o17", 15],
      ["017", 15],
      ["0x1F", 31],
      ["1_00", 100],
      ["+5", 5],
      ['!!int "5"', 5],
      ["5.0", 5],
      ["1e2", 100],
    ];
    for (const [word, value] of cases) {
      assert.equal((await loadYaml(`heartbeat-interval: ${word}`)).config.heartbeatIntervalMs, value, word);
    }
    const wanted = "c.yml:1:21: heartbeat-interval: expected a whole number, 0 or more, found";
    assert.equal(await error("heartbeat-interval: .inf"), `${wanted} the number .inf`);
    assert.equal(await error("heartbeat-interval: 12:30"), `${wanted} the text "12:30"`);
    assert.equal(await error("heartbeat-interval: 1.5"), `${wanted} the number 1.5`);
  });

  it("stay texts when they look like dates or paths", async () => {
    for (const word of ["2020-01-01", "/root", "=", "1:30", "<<", "a b"]) {
      assert.equal((await loadYaml(`initial-cluster-token: ${word}`)).config.initialClusterToken, word);
    }
    assert.equal((await loadYaml("initial-cluster-token: !!str 5")).config.initialClusterToken, "5");
  });

  it("are pointed out when a text was wanted", async () => {
    assert.equal(
      await error("name: 5"),
      "c.yml:1:7: name: expected a text, found the number 5; put it in quotes: '5'",
    );
    assert.equal(
      await error("initial-cluster-token: yes"),
      "c.yml:1:24: initial-cluster-token: expected a text, found the boolean yes; put it in quotes: 'yes'",
    );
  });
});

describe("values", () => {
  it("of durations are nanoseconds or Go's texts", async () => {
    assert.equal((await loadYaml("corrupt-check-time: 5000000000")).config.corruptCheckTimeMs, 5_000);
    assert.equal((await loadYaml("corrupt-check-time: 1h30m")).config.corruptCheckTimeMs, 5_400_000);
    assert.equal(
      await error("corrupt-check-time: 5y"),
      'c.yml:1:21: corrupt-check-time: time: unknown unit "y" in duration "5y"',
    );
    assert.match(await error("corrupt-check-time: 1.5"), /expected a duration.*, found the number 1\.5$/);
  });

  it("of lists are lists, or texts with commas", async () => {
    assert.deepEqual((await loadYaml("log-outputs: stderr")).config.logOutputs, ["stderr"]);
    assert.deepEqual((await loadYaml("log-outputs: [b, a]")).config.logOutputs, ["a", "b"]);
    assert.deepEqual((await loadYaml("log-outputs: []")).config.logging.outputs, ["stderr"]);
    const urls = (await loadYaml("listen-client-urls:\n- http://127.0.0.1:2\n- http://127.0.0.1:1")).config;
    assert.deepEqual(
      urls.listenClientUrls.map(({ port }) => port),
      [1, 2],
    );
    assert.match(
      await error("log-outputs: [a, 5]"),
      /^c\.yml:1:14: log-outputs: expected a list of texts, found the number 5$/,
    );
    assert.match(await error("log-outputs: [a, y]"), /found the boolean y$/);
    assert.match(await error("name: [a]"), /^c\.yml:1:7: name: expected a text, found a list$/);
  });

  it("of URLs are checked", async () => {
    assert.equal(
      await error("name: a\nlisten-client-urls: http://x"),
      'c.yml:2:21: listen-client-urls: URL address does not have the form "host:port": http://x',
    );
  });

  it("that are empty leave the default where etcd's do", async () => {
    const { config } = await loadYaml(
      'listen-client-urls: ""\nlisten-peer-urls:\ncors: ""\ninitial-cluster-state: ""\nself-signed-cert-validity: 0',
    );
    assert.equal(config.listenClientUrls[0]?.port, 2379);
    assert.equal(config.listenPeerUrls[0]?.port, 2380);
    assert.equal(config.initialClusterState, "new");
    assert.equal(config.selfSignedCertValidityYears, 1);
  });

  it("beyond their limits are refused", async () => {
    assert.match(await error("snapshot-count: 18446744073709551616"), /expected a whole number, 0 or more/);
    assert.match(await error("max-concurrent-streams: 4294967296"), /at most 4294967295$/);
    assert.match(await error("heartbeat-interval: -1"), /expected a whole number, 0 or more$/);
    assert.match(await error("heartbeat-interval: '100'"), /found the text "100"$/);
    assert.equal((await loadYaml("snapshot-count: 18446744073709551615")).config.snapshotCount, 2 ** 53 - 1);
  });

  it("may be a bare number for the retention", async () => {
    const { config } = await loadYaml("auto-compaction-mode: revision\nauto-compaction-retention: 1000");
    assert.deepEqual(config.autoCompaction, { mode: "revision", retentionRevisions: 1_000 });
  });
});

describe("sections", () => {
  it("are read by their keys", async () => {
    const { config } = await loadYaml(`
client-transport-security: {cert-file: a, client-cert-auth: true}
peer-transport-security:
  cert-file: b
  allowed-cn: [x, z]
discovery-config:
  token: t
  client:
    endpoints: [e]
    dial-timeout: 1000000000
    max-recv-bytes: 5
    secure: {insecure-transport: false, cacert: c}
    auth: {username: u, password: p}
socket-options: {reuse-port: true}
`);
    assert.deepEqual([config.certFile, config.clientCertAuth, config.peerCertFile], ["a", true, "b"]);
    assert.deepEqual(config.peerCertAllowedCn, ["x", "z"]);
    assert.deepEqual([config.discoveryToken, config.discoveryEndpoints], ["t", ["e"]]);
    assert.deepEqual([config.discoveryDialTimeoutMs, config.discoveryInsecureTransport], [1_000, false]);
    assert.deepEqual([config.discoveryUser, config.discoveryPassword], ["u", "p"]);
    assert.deepEqual([config.socketReusePort, config.initialCluster], [true, ""]);
  });

  it("may be empty, but not something else", async () => {
    await loadYaml("peer-transport-security:\nclient-transport-security: {}");
    assert.equal(
      await error("client-transport-security: x"),
      'c.yml:1:28: client-transport-security: expected a section with keys of its own, found the text "x"',
    );
  });

  it("may come from an anchor", async () => {
    const { config } = await loadYaml(
      "client-transport-security: &tls {cert-file: a, auto-tls: true}\npeer-transport-security:\n  <<: *tls\n  cert-file: b",
    );
    assert.deepEqual([config.peerCertFile, config.peerAutoTls, config.certFile], ["b", true, "a"]);
  });
});

describe("keys", () => {
  it("that do not exist stop the start, with a guess", async () => {
    assert.equal(await error("name: a\nnmae: b"), 'c.yml:2:1: unknown key "nmae"; did you mean "name"?');
    assert.equal(await error("port: 5"), 'c.yml:1:1: unknown key "port"');
    assert.equal(
      await error("client-transport-security:\n  cert-fiel: x"),
      'c.yml:2:3: unknown key "client-transport-security.cert-fiel"; did you mean "client-transport-security.cert-file"?',
    );
    assert.equal(
      await error("socket-reuse-port: true"),
      'c.yml:1:1: unknown key "socket-reuse-port"; did you mean "socket-options.reuse-port"?',
    );
    assert.equal(
      await error("cert-file: x"),
      'c.yml:1:1: unknown key "cert-file"; did you mean "client-transport-security.cert-file"?',
    );
    assert.equal((await yamlRefusal("nmae: b")).status, 1);
  });

  it("that are all wrong are all named", async () => {
    assert.equal(
      await error("nmae: b\npre-vote: 1\nmax-wals: x"),
      'c.yml:1:1: unknown key "nmae"; did you mean "name"?; ' +
        "c.yml:2:11: pre-vote: expected true or false, found the number 1; " +
        'c.yml:3:11: max-wals: expected a whole number, 0 or more, found the text "x"',
    );
    const many = Array.from({ length: 13 }, (_, i) => `zzz${i}: 1`).join("\n");
    assert.match(await error(many), /zzz9"; and 3 more$/);
  });

  it("of older etcds do nothing and say so", async () => {
    const { notices } = await loadYaml("enable-v2: true\nexperimental-max-learners: 3");
    assert.deepEqual(warnings(notices).slice(0, 2), [
      '"enable-v2" is not in etcd 3.7 and has no effect: the v2 API is no more; remove it',
      '"experimental-max-learners" is not in etcd 3.7 and has no effect: use --max-learners',
    ]);
  });

  it("are taken in any case, as in Go", async () => {
    assert.equal((await loadYaml("Name: bb")).config.name, "bb");
  });

  it("that are there twice are pointed out, and the last counts", async () => {
    const { config, notices } = await loadYaml("name: a\nname: b");
    assert.equal(config.name, "b");
    assert.deepEqual(notices.find(({ message }) => message.includes("twice"))?.fields, { at: "c.yml:2:1" });
  });
});

describe("the state of the cluster", () => {
  it("is new or existing; who says standby hears of learners", async () => {
    const { status, error: why } = await yamlRefusal("initial-cluster-state: standby");
    assert.equal(status, 1);
    assert.match(why, /^c\.yml:1:24: initial-cluster-state: expected "new" or "existing"; .*learner/);
  });
});

describe("YAML that is none", () => {
  it("is refused with its place", async () => {
    for (const text of ["a: [\nb", "\ta: b", 'name: "a', "name: *nowhere"]) {
      assert.match(await error(text), /^c\.yml:\d+:\d+: ./, JSON.stringify(text));
    }
    assert.match(await error("- a"), /^c\.yml:1:1: expected keys with values, found a list$/);
    assert.match(await error("a"), /^c\.yml:1:1: expected keys with values, found the text "a"$/);
    assert.match(await error("? [a]\n: 5"), /a key has to be a text$/);
  });

  it("cannot fill the memory", async () => {
    const levels = Array.from({ length: 12 }, (_, i) => `z${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`);
    assert.match(await error(`z0: &a0 [x]\n${levels.join("\n")}`), /more than 10000 values/);
    assert.match(await error("a: &a [*a]"), /values more than 50 deep$/);
  });

  it("counts only to the end of its first document", async () => {
    const { config, notices } = await loadYaml("name: a\n---\nname: b");
    assert.equal(config.name, "a");
    assert.ok(warnings(notices).includes("only the first document of the file counts"));
  });
});

describe("beside a file", () => {
  const files = { "c.yml": "name: fromfile" };

  it("flags and variables count for nothing, and are named once", async () => {
    const env = { ETCD_NAME: "x", ETCD_MAX_WALS: "nonsense", ETCD_DATA_DIR: "", OTHER: "1" };
    const args = ["--config-file", "c.yml", "--name", "y", "--pre-vote=false"];
    const { config, notices } = await loadGood({ args, env, files });
    assert.deepEqual([config.name, config.preVote, config.configFile], ["fromfile", true, "c.yml"]);
    const ignored = notices.filter(({ message }) => message.includes("ignored because"));
    assert.deepEqual(
      ignored.map(({ fields }) => fields),
      [
        {
          path: "c.yml",
          flags: ["--name", "--pre-vote"],
          "environment-variables": ["ETCD_MAX_WALS", "ETCD_NAME"],
        },
      ],
    );
  });

  it("nothing is said when there is nothing else", async () => {
    const { notices } = await loadGood({ args: ["--config-file=c.yml"], files });
    assert.ok(!notices.some(({ message }) => message.includes("ignored because")));
    assert.equal(
      notices[0]?.message,
      "loaded server configuration, other configuration command line flags and environment variables will be ignored if provided",
    );
  });

  it("the file may be named by the environment; the flag is stronger", async () => {
    const env = { ETCD_CONFIG_FILE: "c.yml" };
    assert.equal((await loadGood({ env, files })).config.name, "fromfile");
    const other = { ...files, "d.yml": "name: other" };
    const { config } = await loadGood({ args: ["--config-file", "d.yml"], env, files: other });
    assert.equal(config.name, "other");
    const missing = await load({ env: { ETCD_CONFIG_FILE: "nowhere" }, files });
    assert.equal(missing.kind, "refused");
  });

  it("a flag that cannot be read still ends with 2", async () => {
    const loaded = await load({ args: ["--config-file", "c.yml", "--max-wals", "x"], files });
    assert.equal(loaded.kind, "usage");
  });
});
