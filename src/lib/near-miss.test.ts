import assert from "node:assert/strict";
import { it } from "node:test";
import { nearMiss } from "./near-miss.ts";

const words = ["name", "data-dir", "listen-client-urls", "listen-peer-urls", "heartbeat-interval"];

it("finds a slip of the hand", () => {
  assert.equal(nearMiss("nmae", words), "name");
  assert.equal(nearMiss("data_dir", words), "data-dir");
  assert.equal(nearMiss("Data-Dir", words), "data-dir");
  assert.equal(nearMiss("listen-client-url", words), "listen-client-urls");
  assert.equal(nearMiss("listen-peer-url", words), "listen-peer-urls");
  assert.equal(nearMiss("heartbeat-intervall", words), "heartbeat-interval");
});

it("finds nothing for another word", () => {
  assert.equal(nearMiss("port", words), undefined);
  assert.equal(nearMiss("", words), undefined);
  assert.equal(nearMiss("completely-different", words), undefined);
});
