import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configFromObject } from "../../config/from-object.ts";
import { silentLogger } from "../../lib/logger.ts";
import { localAddressOf } from "./local-address.ts";

function addressFor(urls: readonly string[], gate = "SetMemberLocalAddr=true"): string | undefined {
  const config = configFromObject({
    listenPeerUrls: "http://127.0.0.1:2380",
    initialAdvertisePeerUrls: urls,
    initialCluster: `default=${urls.join(",default=")}`,
    featureGates: gate,
  });
  return localAddressOf(config, silentLogger);
}

describe("the address from which members call each other", () => {
  it("is the first of those it is known by that is an address of a network", () => {
    assert.equal(
      addressFor(["http://127.0.0.1:2380", "http://10.0.0.7:2380", "http://10.0.0.8:2380"]),
      "10.0.0.7",
    );
    assert.equal(addressFor(["http://[::1]:2380", "http://[2001:db8::7]:2380"]), "2001:db8::7");
    assert.equal(addressFor(["http://10.0.0.7:2380"], ""), undefined);
  });

  it("is the system's choice if there is none", () => {
    assert.equal(addressFor(["http://localhost:2380", "http://127.0.0.1:2380"]), undefined);
  });
});
