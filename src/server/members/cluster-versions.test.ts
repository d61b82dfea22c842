import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decideClusterVersion } from "./cluster-versions.ts";

describe("the cluster's version", () => {
  it("is that of the oldest member, without its patch level", () => {
    assert.equal(decideClusterVersion(undefined, ["3.7.3"], false), "3.7.0");
    assert.equal(decideClusterVersion(undefined, ["3.7.3", "3.6.12", "3.7.0-rc.1"], false), "3.6.0");
    assert.equal(decideClusterVersion(undefined, ["3.10.0", "3.9.1"], false), "3.9.0");
  });

  it("is the oldest possible one while members are unknown, and stays what it was once there is one", () => {
    assert.equal(decideClusterVersion(undefined, ["3.7.3", undefined], false), "3.0.0");
    assert.equal(decideClusterVersion(undefined, ["3.7.3", "nonsense"], false), "3.0.0");
    assert.equal(decideClusterVersion("3.6.0", ["3.7.3", undefined], false), undefined);
  });

  it("only rises, one major version's worth, and not during a downgrade", () => {
    assert.equal(decideClusterVersion("3.0.0", ["3.7.3", "3.7.1"], false), "3.7.0");
    assert.equal(decideClusterVersion("3.7.0", ["3.7.3", "3.7.1"], false), undefined);
    assert.equal(decideClusterVersion("3.7.0", ["3.7.3", "3.6.1"], false), undefined);
    assert.equal(decideClusterVersion("3.7.0", ["4.0.0", "4.0.0"], false), undefined);
    assert.equal(decideClusterVersion("3.6.0", ["3.7.3", "3.7.3"], true), undefined);
  });
});
