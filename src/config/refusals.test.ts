/** What etcd 3.7.3 refuses, with its status and words, found out by running it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { load, refusal, yamlRefusal } from "./testing/load.ts";

const parse = (flag: string, value: string, why = "parse error") =>
  `invalid value "${value}" for flag -${flag}: ${why}`;
const noScheme = "URL scheme must be http, https, unix, or unixs: ";

describe("a command line that cannot be read ends with 2", () => {
  const cases: [string[], string][] = [
    [["--nope"], "flag provided but not defined: -nope"],
    [["--heartbeat-interval", "abc"], parse("heartbeat-interval", "abc")],
    [["--heartbeat-interval=-1"], parse("heartbeat-interval", "-1")],
    [["--heartbeat-interval="], parse("heartbeat-interval", "")],
    [["--heartbeat-interval"], "flag needs an argument: -heartbeat-interval"],
    [
      ["--heartbeat-interval", "99999999999999999999"],
      parse("heartbeat-interval", "99999999999999999999", "value out of range"),
    ],
    [["--heartbeat-interval", " 1"], parse("heartbeat-interval", " 1")],
    [["--pre-vote=maybe"], 'invalid boolean value "maybe" for -pre-vote: parse error'],
    [["--pre-vote="], 'invalid boolean value "" for -pre-vote: parse error'],
    [["--version=x"], 'invalid boolean value "x" for -version: parse error'],
    [["--corrupt-check-time", "5"], parse("corrupt-check-time", "5")],
    [["--corrupt-check-time", "5y"], parse("corrupt-check-time", "5y")],
    [["--corrupt-check-time", ""], parse("corrupt-check-time", "")],
    [["--corrupt-check-time", "9999999h"], parse("corrupt-check-time", "9999999h")],
    [
      ["--max-concurrent-streams", "4294967296"],
      parse(
        "max-concurrent-streams",
        "4294967296",
        'strconv.ParseUint: parsing "4294967296": value out of range',
      ),
    ],
    [
      ["--max-concurrent-streams", "x"],
      parse("max-concurrent-streams", "x", 'strconv.ParseUint: parsing "x": invalid syntax'),
    ],
    [
      ["--quota-backend-bytes", "99999999999999999999"],
      parse("quota-backend-bytes", "99999999999999999999", "value out of range"),
    ],
    [["--quota-backend-bytes", "1e9"], parse("quota-backend-bytes", "1e9")],
    [["--max-learners", "x"], parse("max-learners", "x")],
    [["--snapshot-count", "-1"], parse("snapshot-count", "-1")],
    [["--listen-client-urls", "ftp://x:1"], parse("listen-client-urls", "ftp://x:1", `${noScheme}ftp://x:1`)],
    [["--listen-client-urls", "http://a:1,"], parse("listen-client-urls", "http://a:1,", noScheme)],
    [["--cors", "x"], parse("cors", "x", `${noScheme}x`)],
    [["--cors", ""], parse("cors", "", noScheme)],
    [["--initial-cluster-state", "standby"], parse("initial-cluster-state", "standby", "invalid value")],
    [["--discovery-fallback", "x"], parse("discovery-fallback", "x", "invalid value")],
    [["--v2-deprecation", "x"], parse("v2-deprecation", "x", 'invalid value "x"')],
    [["--v2-deprecation="], parse("v2-deprecation", "", 'invalid value ""')],
    [["--feature-gates", "X=true"], parse("feature-gates", "X=true", "unrecognized feature gate: X")],
    [
      ["--feature-gates", "LeaseCheckpoint"],
      parse("feature-gates", "LeaseCheckpoint", "missing bool value for LeaseCheckpoint"),
    ],
    [
      ["--feature-gates", "LeaseCheckpoint=maybe"],
      parse(
        "feature-gates",
        "LeaseCheckpoint=maybe",
        'invalid value of LeaseCheckpoint=maybe, err: strconv.ParseBool: parsing "maybe": invalid syntax',
      ),
    ],
    [["--discovery", "http://x"], "flag provided but not defined: -discovery"],
    [["--enable-v2"], "flag provided but not defined: -enable-v2"],
    [
      ["--experimental-initial-corrupt-check"],
      "flag provided but not defined: -experimental-initial-corrupt-check",
    ],
    [["--name"], "flag needs an argument: -name"],
  ];
  for (const [args, error] of cases) {
    it(args.join(" "), async () => assert.deepEqual(await refusal({ args }), { status: 2, error }));
  }
});

describe("settings that do not go together end with 1", () => {
  const withClient = [
    "--listen-client-urls",
    "http://127.0.0.1:37000",
    "--advertise-client-urls",
    "http://a:1",
  ];
  const cases: [string[], string][] = [
    [["foo"], '"foo" is not a valid flag'],
    [["--", "foo"], '"foo" is not a valid flag'],
    [["-"], '"-" is not a valid flag'],
    [["--pre-vote", "false"], '"false" is not a valid flag'],
    [["--version", "foo"], '"foo" is not a valid flag'],
    [
      ["--discovery-fallback", "proxy"],
      'v2 proxy is deprecated, and --discovery-fallback can\'t be configured as "proxy"',
    ],
    [
      ["--listen-client-urls", "http://127.0.0.1:37000"],
      "--advertise-client-urls is required when --listen-client-urls is set explicitly",
    ],
    [
      ["--listen-client-urls="],
      "--advertise-client-urls is required when --listen-client-urls is set explicitly",
    ],
    [
      ["--listen-client-urls", "http://example.com:37000", "--advertise-client-urls", "http://a:1"],
      "expected IP in URL for binding (http://example.com:37000)",
    ],
    [
      ["--listen-peer-urls", "http://example.com:37000"],
      "expected IP in URL for binding (http://example.com:37000)",
    ],
    [["--listen-peer-urls", "http://:37000"], "expected IP in URL for binding (http://:37000)"],
    [["--listen-metrics-urls", "http://x:1"], "expected IP in URL for binding (http://x:1)"],
    [
      [...withClient, "--listen-client-http-urls", "http://x:1"],
      "expected IP in URL for binding (http://x:1)",
    ],
    [
      ["--advertise-client-urls", "http://:1"],
      '--advertise-client-urls "http://:1" must be in the format "host:port", "unix:/path/to/socket" or ' +
        '"unixs:/path/to/socket" (unexpected empty host (http://:1))',
    ],
    [
      ["--initial-advertise-peer-urls", "http://:1"],
      '--initial-advertise-peer-urls "http://:1" must be "host:port" (unexpected empty host (http://:1))',
    ],
    [["--heartbeat-interval", "0"], "--heartbeat-interval must be >0 (set to 0ms)"],
    [["--election-timeout", "0"], "--election-timeout must be >0 (set to 0ms)"],
    [
      ["--heartbeat-interval", "300"],
      "--election-timeout[1000ms] should be at least as 5 times as --heartbeat-interval[300ms]",
    ],
    [
      ["--election-timeout", "50001"],
      "--election-timeout[50001ms] is too long, and should be set less than 50000ms",
    ],
    [["--auto-compaction-mode", "x"], 'unknown auto-compaction-mode "x"'],
    [["--auto-compaction-mode="], "undefined auto-compaction-mode"],
    [["--auto-compaction-retention", "x"], 'error parsing CompactionRetention: time: invalid duration "x"'],
    [
      ["--auto-compaction-retention", "-5"],
      'error parsing CompactionRetention: time: missing unit in duration "-5"',
    ],
    [["--tls-min-version", "TLS1.1"], 'unexpected TLS version "TLS1.1" (must be one of: TLS1.2, TLS1.3)'],
    [
      ["--tls-min-version", "TLS1.3", "--tls-max-version", "TLS1.2"],
      "min version (TLS1.3) is greater than max version (TLS1.2)",
    ],
    [
      ["--tls-min-version", "TLS1.3", "--cipher-suites", "X"],
      "cipher suites cannot be configured when only TLS1.3 is enabled",
    ],
    [["--cipher-suites", "X"], 'unexpected TLS cipher suite "X"'],
    [["--compact-hash-check-time", "0s"], "--compact-hash-check-time must be >0 (set to 0s)"],
    [
      ["--feature-gates", "LeaseCheckpointPersist=true"],
      "enabling feature gate LeaseCheckpointPersist requires enabling feature gate LeaseCheckpoint",
    ],
    [["--discovery-token", "x"], "both --discovery-token and --discovery-endpoints must be set"],
    [["--discovery-endpoints", "x"], "both --discovery-token and --discovery-endpoints must be set"],
    [
      ["--discovery-endpoints", "", "--discovery-token", "t"],
      "--discovery-endpoints must not contain empty endpoints",
    ],
    [
      [
        "--discovery-endpoints",
        "x",
        "--discovery-token",
        "t",
        "--initial-cluster",
        "a=http://localhost:2380",
      ],
      'multiple discovery or bootstrap flags are set. Choose one of "initial-cluster", "discovery-endpoints" or ' +
        '"discovery-srv"',
    ],
    [
      ["--discovery-srv", "x", "--initial-cluster", "a=http://localhost:2380"],
      'multiple discovery or bootstrap flags are set. Choose one of "initial-cluster", "discovery-endpoints" or ' +
        '"discovery-srv"',
    ],
    [["--logger", "capnslog"], "--logger=capnslog is removed in v3.5"],
    [["--logger", "x"], 'unknown logger option "x"'],
    [["--log-format", "x"], "unknown log format: x, supported values json, console"],
    [["--log-outputs", "default,stderr"], 'multi logoutput for "default" is not supported yet'],
    [
      ["--log-outputs", "systemd/journal,stderr"],
      'running with systemd/journal but other \'--log-outputs\' values (["stderr" "systemd/journal"]) are ' +
        "configured with 'default'; override 'default' value with something else",
    ],
    [
      ["--enable-log-rotation"],
      "--log-outputs requires a single file path when --log-rotate-config-json is defined",
    ],
    [
      ["--enable-log-rotation", "--log-outputs", "a,b"],
      "--log-outputs requires a single file path when --log-rotate-config-json is defined",
    ],
    [
      ["--enable-distributed-tracing", "--distributed-tracing-sampling-rate", "-1"],
      "distributed tracing configurition is not valid: (tracing sampling rate must be positive)",
    ],
    [
      ["--enable-distributed-tracing", "--distributed-tracing-sampling-rate", "1000001"],
      "distributed tracing configurition is not valid: (tracing sampling rate must be less than 1000000)",
    ],
    [["--config-file", "nonexistent.yml"], "open nonexistent.yml: no such file or directory"],
  ];
  for (const [args, error] of cases) {
    it(args.join(" "), async () => assert.deepEqual(await refusal({ args }), { status: 1, error }));
  }

  it("says more about what a broken rotation is than Go", async () => {
    const rotation = (json: string) =>
      refusal({
        args: ["--enable-log-rotation", "--log-outputs", "a.log", "--log-rotation-config-json", json],
      });
    assert.match((await rotation("{")).error, /^improperly formatted log rotation config: /);
    assert.deepEqual(await rotation('{"maxsize":"x"}'), {
      status: 1,
      error: "invalid log rotation config: maxsize: expected a whole number",
    });
  });
});

it("a log level that is none ends with 2, as etcd's panic does", async () => {
  assert.deepEqual(await refusal({ args: ["--log-level", "x"] }), {
    status: 2,
    error: 'unrecognized level: "x"',
  });
  assert.deepEqual(await yamlRefusal("log-level: x"), {
    status: 2,
    error: 'c.yml:1:12: log-level: unrecognized level: "x"',
  });
});

describe("a file's values that do not fit are told with their place", () => {
  const cases: [string, string][] = [
    ["\nlog-format: x", "c.yml:2:13: log-format: unknown log format: x, supported values json, console"],
    ["logger: x", 'c.yml:1:9: logger: unknown logger option "x"'],
    ["heartbeat-interval: 0", "c.yml:1:21: heartbeat-interval: --heartbeat-interval must be >0 (set to 0ms)"],
    [
      "name: a\nheartbeat-interval: 1000",
      "c.yml:2:21: heartbeat-interval: --election-timeout[1000ms] should be at least as 5 times as " +
        "--heartbeat-interval[1000ms]",
    ],
    [
      "election-timeout: 60000",
      "c.yml:1:19: election-timeout: --election-timeout[60000ms] is too long, and should be set less than 50000ms",
    ],
    ["auto-compaction-mode: x", 'c.yml:1:23: auto-compaction-mode: unknown auto-compaction-mode "x"'],
    [
      "auto-compaction-retention: 1x",
      'c.yml:1:28: auto-compaction-retention: error parsing CompactionRetention: time: unknown unit "x" in duration "1x"',
    ],
    [
      "tls-min-version: TLS1.0",
      'c.yml:1:18: tls-min-version: unexpected TLS version "TLS1.0" (must be one of: TLS1.2, TLS1.3)',
    ],
    ["cipher-suites: [X]", 'c.yml:1:16: cipher-suites: unexpected TLS cipher suite "X"'],
    [
      "listen-peer-urls: http://x.invalid:1",
      "c.yml:1:19: listen-peer-urls: expected IP in URL for binding (http://x.invalid:1)",
    ],
    [
      "advertise-client-urls: http://:1",
      "c.yml:1:24: advertise-client-urls: " +
        '--advertise-client-urls "http://:1" must be in the format "host:port", "unix:/path/to/socket" or ' +
        '"unixs:/path/to/socket" (unexpected empty host (http://:1))',
    ],
  ];
  for (const [text, error] of cases) {
    it(text.trim(), async () => assert.deepEqual(await yamlRefusal(text), { status: 1, error }));
  }
});

describe("a variable with a bad value ends with 1", () => {
  const cases: [Record<string, string>, string][] = [
    [{ ETCD_HEARTBEAT_INTERVAL: "abc" }, 'invalid value "abc" for ETCD_HEARTBEAT_INTERVAL: parse error'],
    [{ ETCD_PRE_VOTE: "maybe" }, 'invalid value "maybe" for ETCD_PRE_VOTE: parse error'],
    [{ ETCD_CORRUPT_CHECK_TIME: "5" }, 'invalid value "5" for ETCD_CORRUPT_CHECK_TIME: parse error'],
    [
      { ETCD_LISTEN_CLIENT_URLS: "http://x" },
      'invalid value "http://x" for ETCD_LISTEN_CLIENT_URLS: URL address does not have the form "host:port": http://x',
    ],
    [
      { ETCD_INITIAL_CLUSTER_STATE: "standby" },
      'invalid value "standby" for ETCD_INITIAL_CLUSTER_STATE: invalid value',
    ],
    [
      { ETCD_FEATURE_GATES: "X=1" },
      'invalid value "X=1" for ETCD_FEATURE_GATES: unrecognized feature gate: X',
    ],
  ];
  for (const [env, error] of cases) {
    it(JSON.stringify(env), async () => assert.deepEqual(await refusal({ env }), { status: 1, error }));
  }
});

describe("where etcd says too little, we say more", () => {
  const advice = async (...args: string[]) => {
    const loaded = await load({ args });
    return loaded.kind === "usage" ? loaded.advice : assert.fail(loaded.kind);
  };

  it("about removed flags", async () => {
    assert.equal(
      await advice("--experimental-initial-corrupt-check"),
      "--experimental-initial-corrupt-check is not in etcd 3.7: use --feature-gates=InitialCorruptCheck=true",
    );
    assert.match((await advice("--enable-v2=true")) ?? "", /the v2 API is no more; remove it$/);
  });

  it("about slips of the hand", async () => {
    assert.equal(await advice("--listen-client-url", "x"), "did you mean --listen-client-urls?");
    assert.equal(await advice("--config-fiel", "x"), "did you mean --config-file?");
    assert.equal(await advice("--something-else"), undefined);
  });

  it("about standby members", async () => {
    for (const args of [["--initial-cluster-state", "standby"], ["--initial-cluster-state=standby"]]) {
      assert.match((await advice(...args)) ?? "", /learner.*--initial-cluster-state=existing/);
    }
    assert.equal(await advice("--initial-cluster-state=x"), undefined);
  });
});
