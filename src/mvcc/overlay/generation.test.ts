import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Revision } from "../../lib/ids.ts";
import { noLease } from "../../lib/ids.ts";
import { bytes } from "../testing/requests.ts";
import { OverlayGeneration } from "./generation.ts";
import { HotCache } from "./hot-cache.ts";

const content = { createRevision: 2 as Revision, version: 1, lease: noLease, value: bytes("v") };

describe("a key's chain", () => {
  it("finds the version of every revision, in few moves", () => {
    const generation = new OverlayGeneration(1 as Revision);
    const chain = generation.addChain("k", bytes("k"), false);
    const count = 5000;
    // Every third revision, the last change of it counting.
    for (let i = 0; i < count; i++) generation.append(chain, (3 * (i >> 1) + 3) as Revision, i & 1, content);
    for (let revision = 0; revision < (3 * count) / 2 + 3; revision += 7) {
      const expected = generation.versions.findLast((v) => v.modRevision <= revision);
      assert.equal(chain.at(revision as Revision), expected, `at ${revision}`);
    }
    let moves = 0;
    for (let version = chain.newest; version !== undefined; version = version.jump) moves++;
    assert.ok(moves <= 26, `${moves} long links from end to end`);
  });

  it("does not hold on to the large buffer that a key and a value came in", () => {
    const generation = new OverlayGeneration(1 as Revision);
    const chunk = new Uint8Array(65536).fill(7);
    const chain = generation.addChain("k", chunk.subarray(100, 101), false);
    const value = chunk.subarray(200, 210);
    const version = generation.append(chain, 2 as Revision, 0, { ...content, value });
    assert.equal(version.keyBytes.buffer.byteLength, 1);
    assert.equal(version.value.buffer.byteLength, 10);
    assert.deepEqual(version.value, value);
    const message = new Uint8Array(300);
    const own = generation.append(chain, 3 as Revision, 0, { ...content, value: message.subarray(40) });
    assert.equal(own.value.buffer, message.buffer, "a message of its own is kept as it is");
  });

  it("knows where the versions after a revision begin", () => {
    const generation = new OverlayGeneration(1 as Revision);
    const chain = generation.addChain("k", bytes("k"), false);
    for (const revision of [2, 2, 5, 6]) generation.append(chain, revision as Revision, 0, content);
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((revision) => generation.firstAfter(revision as Revision)),
      [0, 0, 2, 2, 2, 3, 4, 4],
    );
  });

  it("counts its bytes, also those of metadata that is replaced", () => {
    const generation = new OverlayGeneration(1 as Revision);
    generation.setMeta({ bucket: "b", key: "k", value: new Uint8Array(1000) });
    const large = generation.bytes;
    generation.setMeta({ bucket: "b", key: "k", value: new Uint8Array(10) });
    assert.equal(generation.bytes, large - 990);
    generation.setMeta({ bucket: "b", key: "k", value: undefined });
    assert.equal(generation.bytes, large - 1000);
  });
});

describe("the cache of hot values", () => {
  const version = (bytesOfValue: number) => ({
    key: "k",
    modRevision: 2 as Revision,
    sub: 0,
    createRevision: 2 as Revision,
    version: 1,
    lease: noLease,
    value: new Uint8Array(bytesOfValue),
  });

  it("stays within its bytes, and spares what was read", () => {
    const cache = new HotCache(10_000);
    cache.set("hot", version(100));
    for (let i = 0; i < 1000; i++) {
      cache.set(`cold ${i}`, version(100));
      assert.notEqual(cache.get("hot"), undefined, `after ${i}`);
      assert.ok(cache.bytes <= 10_000);
    }
    assert.equal(cache.get("cold 0"), undefined);
  });

  it("remembers that a key is missing, and leaves large values alone", () => {
    const cache = new HotCache(10_000);
    cache.set("missing", undefined);
    assert.deepEqual(cache.get("missing")?.version, undefined);
    assert.notEqual(cache.get("missing"), undefined);
    cache.set("large", version(5000));
    assert.equal(cache.get("large"), undefined);
    cache.delete("missing");
    assert.equal(cache.get("missing"), undefined);
    assert.equal(cache.bytes, 0);
  });
});
