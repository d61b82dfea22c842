import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { load, loadGood } from "./testing/load.ts";

const shadowed =
  "conflicting environment variable is shadowed by corresponding command-line flag (either unset environment variable or disable flag))";

describe("ETCD_ variables", () => {
  it("are reported one by one", async () => {
    const { config, notices } = await loadGood({ env: { ETCD_NAME: "a", ETCD_MAX_WALS: "7" } });
    assert.deepEqual([config.name, config.maxWals, config.explicit], ["a", 7, ["max-wals", "name"]]);
    assert.deepEqual(
      notices.slice(0, 2).map(({ level, message, fields }) => [level, message, fields]),
      [
        [
          "info",
          "recognized and used environment variable",
          { "variable-name": "ETCD_MAX_WALS", "variable-value": "7" },
        ],
        [
          "info",
          "recognized and used environment variable",
          { "variable-name": "ETCD_NAME", "variable-value": "a" },
        ],
      ],
    );
  });

  it("end the start when the command line has the flag as well, as in etcd", async () => {
    for (const value of ["a", "b", ""]) {
      const loaded = await load({ args: ["--name", "b"], env: { ETCD_NAME: value } });
      assert.equal(loaded.kind, "refused");
      if (loaded.kind !== "refused") return;
      assert.equal(loaded.exitStatus, 1);
      assert.deepEqual(loaded.notices.at(-1), {
        level: "fatal",
        caller: "config/environment.ts",
        message: shadowed,
        fields: { "environment-variable": "ETCD_NAME" },
      });
    }
  });

  it("are nothing when they are empty", async () => {
    const { config, notices } = await loadGood({ env: { ETCD_NAME: "", ETCD_LISTEN_CLIENT_URLS: "" } });
    assert.deepEqual([config.name, config.explicit], ["default", []]);
    assert.ok(!notices.some(({ message }) => message.includes("environment")));
  });

  it("that nobody knows are reported, with advice on old ones", async () => {
    const env = { ETCD_NOPE: "a", ETCD_ENABLE_V2: "true", ETCDCTL_API: "3", PATH: "/bin" };
    const { notices } = await loadGood({ env });
    const unknown = notices.filter(({ message }) => message === "unrecognized environment variable");
    assert.deepEqual(
      unknown.map(({ level, fields }) => [level, fields]),
      [
        ["warn", { "environment-variable": "ETCD_NOPE=a" }],
        [
          "warn",
          { "environment-variable": "ETCD_ENABLE_V2=true", advice: "the v2 API is no more; remove it" },
        ],
      ],
    );
  });

  it("cannot ask for the version", async () => {
    const { notices } = await loadGood({ env: { ETCD_VERSION: "3" } });
    assert.deepEqual(notices[0], {
      level: "warn",
      caller: "config/environment.ts",
      message: "cannot set special environment variable",
      fields: { key: "ETCD_VERSION", value: "3" },
    });
  });

  it("do not show secrets", async () => {
    const env = { ETCD_DISCOVERY_PASSWORD: "hunter2", ETCD_DISCOVERY_USER: "me:hunter2" };
    const { config, notices } = await loadGood({ env });
    assert.equal(config.discoveryPassword, "hunter2");
    assert.ok(!JSON.stringify(notices).includes("hunter2"));
  });

  it("of flags that do nothing are taken", async () => {
    const { notices } = await loadGood({ args: ["--vv", "--force=anything"], env: { ETCD_V: "1" } });
    assert.equal(notices[0]?.fields?.["variable-name"], "ETCD_V");
  });
});

describe("values", () => {
  it("of feature gates add up, of other flags the last counts", async () => {
    const { config } = await loadGood({
      args: [
        "--feature-gates=PriorityRequest=true",
        "--name=a",
        "--name=b",
        "--feature-gates=LeaseCheckpoint=true,PriorityRequest=false",
      ],
    });
    assert.equal(config.name, "b");
    assert.deepEqual(
      [config.featureGates.PriorityRequest, config.featureGates.LeaseCheckpoint],
      [false, true],
    );
  });

  it("AllAlpha and AllBeta leave alone what is named", async () => {
    const { config } = await loadGood({
      args: ["--feature-gates=LeaseCheckpoint=true,AllAlpha=false,AllBeta=false,FastLeaseKeepAlive=true"],
    });
    assert.equal(config.featureGates.LeaseCheckpoint, true);
    assert.equal(config.featureGates.FastLeaseKeepAlive, true);
    assert.equal(config.featureGates.TxnModeWriteWithSharedBuffer, false);
  });

  it("that are empty URLs leave what was there", async () => {
    const { config } = await loadGood({
      args: [
        "--listen-peer-urls=http://127.0.0.1:1",
        "--listen-peer-urls=",
        "--initial-advertise-peer-urls=",
      ],
    });
    assert.deepEqual(
      [config.listenPeerUrls, config.initialAdvertisePeerUrls].map((urls) => urls.map(({ href }) => href)),
      [["http://127.0.0.1:1"], ["http://localhost:2380"]],
    );
  });
});
