import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decideClusterVersion } from "./cluster-versions.ts";

describe("the cluster's version", () => {
  it("is that of the oldest member, without its patch level", () => {
    assert.equal(decideClusterVersion(undefined, ["3.7.3"], undefined), "3.7.0");
    assert.equal(decideClusterVersion(undefined, ["3.7.3", "3.6.12", "3.7.0-rc.1"], undefined), "3.6.0");
    assert.equal(decideClusterVersion(undefined, ["3.10.0", "3.9.1"], undefined), "3.9.0");
  });

  it("is the oldest possible one while members are unknown, and stays what it was once there is one", () => {
    assert.equal(decideClusterVersion(undefined, ["3.7.3", undefined], undefined), "3.0.0");
    assert.equal(decideClusterVersion(undefined, ["3.7.3", "nonsense"], undefined), "3.0.0");
    assert.equal(decideClusterVersion("3.6.0", ["3.7.3", undefined], undefined), undefined);
  });

  it("only rises, one major version's worth, by itself", () => {
    assert.equal(decideClusterVersion("3.0.0", ["3.7.3", "3.7.1"], undefined), "3.7.0");
    assert.equal(decideClusterVersion("3.7.0", ["3.7.3", "3.7.1"], undefined), undefined);
    assert.equal(decideClusterVersion("3.7.0", ["3.7.3", "3.6.1"], undefined), undefined);
    assert.equal(decideClusterVersion("3.7.0", ["4.0.0", "4.0.0"], undefined), undefined);
  });

  it("goes down one minor version with a downgrade, and stays there", () => {
    const target = { major: 3, minor: 6 };
    assert.equal(decideClusterVersion("3.7.0", ["3.7.3", "3.7.1"], target), "3.6.0");
    assert.equal(decideClusterVersion("3.6.0", ["3.7.3", "3.7.3"], target), undefined);
    assert.equal(decideClusterVersion("3.7.0", ["3.7.3", undefined], target), undefined);
    assert.equal(decideClusterVersion("3.8.0", ["3.8.0"], target), "invalid downgrade target");
    assert.equal(decideClusterVersion("3.7.0", ["3.7.3", "3.6.1"], target), "invalid downgrade target");
  });
});
