import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gateEntries } from "./feature-gates.ts";
import { configFromObject } from "./from-object.ts";
import { load, loadGood, loadYaml, refusal, warnings } from "./testing/load.ts";

const hrefs = (urls: readonly { href: string }[]) => urls.map(({ href }) => href);

describe("without settings", () => {
  it("there is a member called default, on localhost", async () => {
    const { config, notices } = await loadGood({});
    assert.equal(config.dataDir, "default.etcd");
    assert.equal(config.initialCluster, "default=http://localhost:2380");
    assert.deepEqual(hrefs(config.listenClientUrls), ["http://localhost:2379"]);
    assert.equal(config.electionTicks, 10);
    assert.equal(config.autoCompaction, undefined);
    assert.deepEqual(config.explicit, []);
    assert.deepEqual(warnings(notices), [
      "it isn't recommended to use default name, please set a value for --name. " +
        "Note that etcd might run into issue when multiple members have the same default name",
      "'data-dir' was empty; using default",
    ]);
  });

  it("nothing can be changed", async () => {
    const { config } = await loadGood({});
    assert.throws(() => Object.assign(config, { name: "x" }));
    assert.throws(() => (config.listenClientUrls as unknown[]).push(1));
    assert.throws(() => Object.assign(config.listenClientUrls[0] as object, { port: 1 }));
    assert.throws(() => Object.assign(config.logging, { level: "debug" }));
    assert.throws(() => Object.assign(config.featureGates, { AllAlpha: true }));
  });
});

describe("the name", () => {
  it("names the data folder, and the member in a cluster of one", async () => {
    const { config } = await loadGood({ args: ["--name", "a"] });
    assert.deepEqual([config.dataDir, config.initialCluster], ["a.etcd", "a=http://localhost:2380"]);
    const peers = "--initial-advertise-peer-urls=http://10.0.0.1:2,http://10.0.0.1:1";
    assert.equal(
      (await loadGood({ args: ["--name", "a", peers] })).config.initialCluster,
      "a=http://10.0.0.1:1,a=http://10.0.0.1:2",
    );
    assert.equal((await loadYaml("name: a")).config.initialCluster, "a=http://localhost:2380");
  });

  it("changes no cluster that was given", async () => {
    const args = ["--name", "a", "--initial-cluster", "a=http://10.0.0.1:1,b=http://10.0.0.2:1"];
    assert.equal((await loadGood({ args })).config.initialCluster, "a=http://10.0.0.1:1,b=http://10.0.0.2:1");
  });

  it("that is the default leaves the default cluster, even if it does not fit", async () => {
    const args = ["--initial-advertise-peer-urls", "http://10.0.0.1:1"];
    assert.equal((await loadGood({ args })).config.initialCluster, "default=http://localhost:2380");
  });
});

describe("who listens everywhere", () => {
  const listen = ["--name=a", "--listen-peer-urls=http://0.0.0.0:7", "--listen-client-urls=http://0.0.0.0:8"];

  it("is reached at the machine's address if nothing else was said", async () => {
    const { config, notices } = await loadGood({ args: listen.slice(0, 2), defaultHost: "10.1.2.3" });
    assert.deepEqual(hrefs(config.initialAdvertisePeerUrls), ["http://10.1.2.3:7"]);
    assert.equal(config.initialCluster, "a=http://10.1.2.3:7");
    assert.deepEqual(hrefs(config.advertiseClientUrls), ["http://localhost:2379"]);
    assert.deepEqual(notices.find(({ message }) => message.startsWith("detected"))?.fields, {
      host: "10.1.2.3",
    });
  });

  it("is so for clients too, where a file says no address", async () => {
    const text = "name: a\nlisten-client-urls: http://0.0.0.0:8";
    const files = { "c.yml": text };
    const { config } = await loadGood({ args: ["--config-file=c.yml"], files, defaultHost: "fd00::1" });
    assert.deepEqual(hrefs(config.advertiseClientUrls), ["http://[fd00::1]:8"]);
  });

  it("stays on localhost when the machine has no address", async () => {
    const { config, notices } = await loadGood({ args: listen.slice(0, 2) });
    assert.deepEqual(hrefs(config.initialAdvertisePeerUrls), ["http://localhost:2380"]);
    assert.ok(notices.some(({ message }) => message === "failed to detect default host"));
  });

  it("is asked nothing when the addresses were said", async () => {
    const args = [
      ...listen,
      "--advertise-client-urls=http://a:8",
      "--initial-advertise-peer-urls=http://a:7",
    ];
    const { notices } = await loadGood({ args, defaultHost: "10.1.2.3" });
    assert.ok(!notices.some(({ message }) => message.includes("default host")));
  });
});

describe("automatic compaction", () => {
  const compaction = async (...args: string[]) => (await loadGood({ args })).config.autoCompaction;

  it("counts hours, durations or revisions", async () => {
    const periodic = (retentionMs: number) => ({ mode: "periodic", retentionMs });
    assert.deepEqual(await compaction("--auto-compaction-retention=5"), periodic(18_000_000));
    assert.deepEqual(await compaction("--auto-compaction-retention=010"), periodic(36_000_000));
    assert.deepEqual(await compaction("--auto-compaction-retention=90s"), periodic(90_000));
    const revision = "--auto-compaction-mode=revision";
    assert.deepEqual(await compaction("--auto-compaction-retention=1000", revision), {
      mode: "revision",
      retentionRevisions: 1_000,
    });
  });

  it("is off at nothing", async () => {
    for (const text of ["0", "", "0s", "00"]) {
      assert.equal(await compaction(`--auto-compaction-retention=${text}`), undefined, text);
    }
  });

  it("warns of a duration where revisions are counted, and means what etcd means", async () => {
    const args = ["--auto-compaction-mode=revision", "--auto-compaction-retention=1ms"];
    const { config, notices } = await loadGood({ args });
    assert.deepEqual(config.autoCompaction, { mode: "revision", retentionRevisions: 1_000_000 });
    assert.ok(warnings(notices).some((line) => line.includes("counts revisions")));
  });

  it("does not go back in time", async () => {
    const { error } = await refusal({ args: ["--auto-compaction-retention=-5m"] });
    assert.equal(error, "--auto-compaction-retention must be >=0 (set to -5m)");
  });
});

describe("numbers", () => {
  it("of 0 mean the default where etcd's do", async () => {
    const flags = [
      "quota-backend-bytes",
      "compaction-batch-limit",
      "compaction-sleep-interval",
      "watch-progress-notify-interval",
      "warning-unary-request-duration",
    ];
    const { config } = await loadGood({
      args: flags.map((flag) => `--${flag}=${flag.endsWith("l") || flag.endsWith("n") ? "0s" : "0"}`),
    });
    assert.equal(config.quotaBackendBytes, 2 * 1024 ** 3);
    assert.equal(config.compactionBatchLimit, 1_000);
    assert.equal(config.compactionSleepIntervalMs, 10);
    assert.equal(config.watchProgressNotifyIntervalMs, 600_000);
    assert.equal(config.warningUnaryRequestDurationMs, 300);
  });

  it("may be negative where that means something", async () => {
    assert.equal((await loadGood({ args: ["--quota-backend-bytes=-1"] })).config.quotaBackendBytes, -1);
  });

  it("beyond all counting are as large as can be counted", async () => {
    const { config } = await loadGood({ args: ["--snapshot-count=18446744073709551615"] });
    assert.equal(config.snapshotCount, Number.MAX_SAFE_INTEGER);
  });

  it("of a request have a limit", async () => {
    const large = await loadGood({ args: ["--max-request-bytes=20971520"] });
    assert.equal(large.config.maxRequestBytes, 20_971_520);
    const notice = large.notices.find(({ message }) => message === "exceeded recommended request limit");
    assert.deepEqual(notice?.fields, {
      "max-request-bytes": 20_971_520,
      "max-request-size": "21 MB",
      "recommended-request-bytes": 10_485_760,
      "recommended-request-size": "10 MB",
    });
    const huge = await loadGood({ args: ["--max-request-bytes=99999999999"] });
    assert.equal(huge.config.maxRequestBytes, 2 ** 31 - 1 - 512 * 1024);
    assert.ok(warnings(huge.notices).includes("requests cannot be that large; taking the largest possible"));
  });

  it("of peers' timeouts have a minimum", async () => {
    const { config, notices } = await loadGood({ args: ["--raft-read-timeout=1s"] });
    assert.equal(config.raftReadTimeoutMs, 5_000);
    assert.ok(notices.some(({ message }) => message === "raft-read-timeout increased to minimum value: 5s"));
  });
});

describe("the log", () => {
  const logging = async (...args: string[]) => (await loadGood({ args })).config.logging;

  it("goes where it is told, sorted, each once", async () => {
    assert.deepEqual((await logging("--log-outputs=stdout,b.log,a.log,b.log")).outputs, [
      "a.log",
      "b.log",
      "stdout",
    ]);
    assert.deepEqual((await logging("--log-outputs=default")).outputs, ["stderr"]);
    assert.deepEqual((await logging("--log-outputs=/dev/null,stderr")).outputs, ["/dev/null"]);
  });

  it("goes to stderr instead of the journal, and says so", async () => {
    const { config, notices } = await loadGood({ args: ["--log-outputs=systemd/journal"] });
    assert.deepEqual(config.logging.outputs, ["stderr"]);
    assert.ok(warnings(notices).some((line) => line.includes("journal")));
  });

  it("has zap's levels, and a format", async () => {
    assert.deepEqual(await logging("--log-level=WARN", "--log-format="), {
      level: "warn",
      format: "json",
      outputs: ["stderr"],
    });
    assert.equal((await logging("--log-level=")).level, "info");
  });

  it("is known even if the rest is refused", async () => {
    const loaded = await load({ args: ["--log-format=console", "--auto-compaction-mode=x"] });
    assert.equal(loaded.kind === "refused" && loaded.logging?.format, "console");
  });
});

describe("deprecated flags", () => {
  it("do not take what etcd no longer takes", async () => {
    const refused = await load({ args: ["--v2-deprecation=not-yet"] });
    assert.equal(refused.kind, "usage");
  });

  it("warn in etcd's words", async () => {
    const { notices } = await loadGood({ args: ["--max-snapshots=3", "--v2-deprecation=gone,write-only"] });
    const lines = warnings(notices);
    assert.ok(lines.includes("--max-snapshots is deprecated in 3.6 and will be decommissioned in 3.8."));
    assert.ok(
      lines.some((line) =>
        line.startsWith("--v2-deprecation is deprecated and scheduled for removal in v3.8."),
      ),
    );
  });
});

describe("feature gates without effect", () => {
  it("warn once each", async () => {
    const idle = gateEntries.filter(([, gate]) => gate.accepted !== undefined);
    const switched = gateEntries.map(([name, gate]) => `${name}=${!gate.default}`);
    const { notices } = await loadGood({ args: [`--feature-gates=${switched.join(",")}`] });
    const lines = warnings(notices).filter((line) => line.startsWith("feature gate"));
    assert.deepEqual(
      lines,
      idle.map(([name, gate]) => `feature gate ${name}=${!gate.default} has no effect: ${gate.accepted}`),
    );
  });
});

describe("a program's settings", () => {
  it("name the field that is wrong", () => {
    assert.throws(() => configFromObject({ heartbeatIntervalMs: -1 }), {
      name: "ConfigError",
      message: "heartbeatIntervalMs: expected a whole number, 0 or more",
    });
    assert.throws(() => configFromObject({ listenClientUrl: "x" } as object), {
      message: 'there is no setting "listenClientUrl"; did you mean "listenClientUrls"?',
    });
    assert.throws(() => configFromObject({ toString: 1 } as object), {
      message: 'there is no setting "toString"',
    });
  });

  it("take lists and texts", () => {
    const config = configFromObject({
      name: "a",
      listenClientUrls: ["http://127.0.0.1:2", "http://127.0.0.1:1"],
      advertiseClientUrls: "http://127.0.0.1:1",
      storageBackend: "memory",
      featureGates: "PriorityRequest=true",
    });
    assert.deepEqual(hrefs(config.listenClientUrls), ["http://127.0.0.1:1", "http://127.0.0.1:2"]);
    assert.equal(config.featureGates.PriorityRequest, true);
  });
});

describe("sockets", () => {
  it("need a path", async () => {
    const args = ["--listen-client-urls=unix://", "--advertise-client-urls=unix://"];
    assert.deepEqual(await refusal({ args }), {
      status: 1,
      error: "expected the path of a socket in unix://",
    });
    const good = [
      "--listen-client-urls=unix://localhost:20001",
      "--advertise-client-urls=unix://localhost:20001",
    ];
    assert.equal((await loadGood({ args: good })).config.listenClientUrls[0]?.socketPath, "localhost:20001");
  });
});
