import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errors } from "../../errors/table.ts";
import type { EtcdServerSettings } from "../etcd-server.ts";
import { startTestServer, testSettings } from "../testing/test-server.ts";

async function started(settings: Partial<EtcdServerSettings> = {}) {
  const test = await startTestServer({ settings: { ...testSettings, ...settings } });
  await test.pass(200);
  const { downgrades } = test.server;
  const done = async (work: Promise<void>) => {
    const ended = work.then(
      () => undefined,
      (error: Error) => error.message,
    );
    await test.run();
    return ended;
  };
  return { test, downgrades, done, cluster: test.server.cluster };
}

describe("a downgrade", () => {
  it("goes to the minor version below, and no other", async () => {
    const { downgrades, done } = await started();
    assert.equal(await done(downgrades.validate("3.6")), undefined);
    assert.equal(await done(downgrades.validate("3.6.9")), undefined);
    for (const wrong of ["3.7.0", "3.5.0", "2.6.0", "3.8"]) {
      assert.equal(await done(downgrades.validate(wrong)), errors.invalidDowngradeTargetVersion.text, wrong);
    }
    for (const wrong of ["", "v3.6", "3", "3.6.x"]) {
      assert.equal(await done(downgrades.validate(wrong)), errors.wrongDowngradeVersionFormat.text, wrong);
    }
  });

  it("takes the versions of cluster and data down, until it is called off", async () => {
    const { test, downgrades, done, cluster } = await started();
    assert.equal(await done(downgrades.enable("3.6.0")), undefined);
    assert.deepEqual(cluster.downgrade, { enabled: true, targetVersion: "3.6.0" });
    assert.equal(await done(downgrades.enable("3.6.0")), errors.downgradeInProcess.text);
    await test.pass(5_000);
    assert.equal(cluster.version, "3.6.0");
    assert.equal(test.server.versions.storage, "3.6.0");
    assert.equal(await done(downgrades.validate("3.6.0")), errors.invalidDowngradeTargetVersion.text);
    assert.equal(await done(downgrades.cancel()), undefined);
    assert.deepEqual(cluster.downgrade, { enabled: false, targetVersion: "" });
    await test.pass(5_000);
    assert.equal(cluster.version, "3.7.0");
    assert.equal(test.server.versions.storage, "3.7.0");
    assert.equal(await done(downgrades.cancel()), undefined);
  });
});
