import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "../../lib/testing/silent-logger.ts";
import { joinByDiscovery } from "./join.ts";
import { memberKey, type RegisteredMember, sizeKey } from "./registry.ts";
import type { DiscoveryService } from "./service.ts";

/** A service in memory, which fails as often as it is told to. */
class FakeService implements DiscoveryService {
  readonly values = new Map<string, { value: string; createRevision: bigint }>();
  revision = 1n;
  failures = 0;
  #waiting: (() => void)[] = [];

  #mayFail(): void {
    if (this.failures-- > 0) throw new Error("connection refused");
  }

  async get(key: string): Promise<string | undefined> {
    this.#mayFail();
    return this.values.get(key)?.value;
  }

  async list(prefix: string) {
    this.#mayFail();
    return { members: this.#below(prefix, 0n), revision: this.revision };
  }

  #below(prefix: string, from: bigint): RegisteredMember[] {
    return [...this.values]
      .filter(([key, { createRevision }]) => key.startsWith(prefix) && createRevision >= from)
      .map(([key, { value, createRevision }]) => ({ key, urls: value, createRevision }));
  }

  async put(key: string, value: string): Promise<void> {
    this.#mayFail();
    this.revision++;
    this.values.set(key, { value, createRevision: this.values.get(key)?.createRevision ?? this.revision });
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async *changes(prefix: string, revision: bigint) {
    this.#mayFail();
    for (let from = revision; ; ) {
      const found = this.#below(prefix, from);
      from = this.revision + 1n;
      yield* found;
      if (from > this.revision) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

function setUp(size: string | undefined) {
  const service = new FakeService();
  if (size !== undefined) void service.put(sizeKey("t"), size);
  const slept: number[] = [];
  const join = (id: string) =>
    joinByDiscovery({
      service,
      token: "t",
      id,
      urls: `${id}=http://${id}:2380`,
      logger: silentLogger,
      sleep: async (ms) => void slept.push(ms),
    });
  return { service, slept, join };
}

describe("joining a cluster by a discovery service", () => {
  it("waits for as many as the cluster is to have, in the order in which they came", async () => {
    const { service, join } = setUp("3");
    const all = [join("c")];
    await new Promise((resolve) => setImmediate(resolve));
    all.push(join("a"));
    await new Promise((resolve) => setImmediate(resolve));
    await service.put(memberKey("t", "strange"), "no address");
    all.push(join("b"));
    const expected = "c=http://c:2380,a=http://a:2380,b=http://b:2380";
    assert.deepEqual(await Promise.all(all), [expected, expected, expected]);
  });

  it("refuses one too many, and takes one that was there before", async () => {
    const { join } = setUp("1");
    assert.equal(await join("a"), "a=http://a:2380");
    await assert.rejects(join("b"), { message: "discovery: cluster is full" });
    assert.equal(await join("a"), "a=http://a:2380");
  });

  it("refuses a service that does not know how many", async () => {
    await assert.rejects(setUp(undefined).join("a"), { message: "discovery: size key not found" });
    for (const size of ["0", "-1", "three", ""]) {
      await assert.rejects(setUp(size).join("a"), { message: "discovery: size key is bad" });
    }
  });

  it("asks again, later each time", async () => {
    const { service, slept, join } = setUp("1");
    service.failures = 3;
    assert.equal(await join("a"), "a=http://a:2380");
    assert.deepEqual(slept, [2_000, 4_000, 8_000]);
  });
});
