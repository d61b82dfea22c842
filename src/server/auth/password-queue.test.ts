import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PasswordThread, PasswordWork } from "../../lib/password-work.ts";
import { FakeClock, settle } from "../../lib/testing/fake-clock.ts";
import { recordingLogger } from "../../lib/testing/recording-logger.ts";
import { PasswordQueue } from "./password-queue.ts";

/** A thread whose work is done when the test says so. */
class HeldThread implements PasswordThread {
  work: PasswordWork | undefined;
  ended = false;
  #answer: PromiseWithResolvers<string | boolean> | undefined;

  run(work: PasswordWork): Promise<string | boolean> {
    this.work = work;
    this.#answer = Promise.withResolvers();
    return this.#answer.promise;
  }

  async finish(): Promise<PasswordWork> {
    const work = this.work!;
    this.work = undefined;
    this.#answer!.resolve(work.kind === "hash" ? `hash of ${work.password}` : work.hash === work.password);
    await settle();
    return work;
  }

  async fail(): Promise<void> {
    this.#answer!.reject(new Error("broken"));
    await settle();
  }

  end(): void {
    this.ended = true;
    this.#answer?.reject(new Error("ended"));
  }
}

function setUp({ threadsMax = 1, cost = 10 } = {}) {
  const clock = new FakeClock();
  const logger = recordingLogger();
  const threads: HeldThread[] = [];
  const startThread = () => {
    const thread = new HeldThread();
    threads.push(thread);
    return thread;
  };
  const queue = new PasswordQueue({ startThread, threadsMax, cost, clock, logger });
  return { clock, logger, threads, queue };
}

const tooMany = { message: "etcdserver: too many requests" };
const quiet = (promise: Promise<unknown>) => void promise.catch(() => {});

describe("PasswordQueue", () => {
  it("hashes with the cost and compares", async () => {
    const { queue, threads } = setUp({ cost: 12 });
    const hash = queue.hash("secret");
    assert.deepEqual(await threads[0]!.finish(), { kind: "hash", password: "secret", cost: 12 });
    assert.equal(await hash, "hash of secret");
    const [right, wrong] = [queue.matches("a", "a"), queue.matches("b", "a")];
    await threads[0]!.finish();
    await threads[0]!.finish();
    assert.deepEqual([await right, await wrong], [true, false]);
    assert.equal(threads.length, 1);
  });

  it("takes bcrypt's usual cost for one that is out of range", async () => {
    for (const cost of [0, 3, 32]) {
      const { queue, threads, logger } = setUp({ cost });
      quiet(queue.hash("x"));
      assert.deepEqual(threads[0]!.work, { kind: "hash", password: "x", cost: 10 });
      assert.equal(logger.lines[0]?.message, "use default bcrypt cost instead of the invalid given cost");
    }
  });

  it("refuses to hash more than 72 bytes, and compares the first 72", async () => {
    const { queue, threads } = setUp();
    await assert.rejects(queue.hash(`${"a".repeat(71)}é`), {
      code: 2,
      message: "bcrypt: password length exceeds 72 bytes",
    });
    quiet(queue.hash("a".repeat(72)));
    await threads[0]!.finish();
    quiet(queue.matches("a".repeat(1_000_000), "hash"));
    const { password } = threads[0]!.work!;
    assert.ok(password.length < 80 && password.startsWith("a".repeat(72)));
  });

  it("gives each source its turn, and each user of a source", async () => {
    const { queue, threads } = setUp();
    for (let n = 0; n < 1000; n++) quiet(queue.matches(`guess ${n}`, "root", { source: "10.0.0.1" }));
    quiet(queue.matches("mine", "alice", { source: "10.0.0.1" }));
    quiet(queue.matches("mine", "root", { source: "10.0.0.2" }));
    const order: string[] = [];
    for (let n = 0; n < 4; n++) {
      const work = await threads[0]!.finish();
      order.push(`${work.password} ${work.kind === "match" ? work.hash : ""}`);
    }
    // The first was taken before anybody else had come.
    assert.deepEqual(order, ["guess 0 root", "guess 1 root", "mine root", "mine alice"]);
  });

  it("answers equal questions together", async () => {
    const { queue, threads } = setUp();
    const all = Array.from({ length: 1000 }, () => queue.matches("p", "p"));
    assert.equal(queue.waiting, 0);
    await threads[0]!.finish();
    assert.deepEqual(new Set(await Promise.all(all)), new Set([true]));
    const again = queue.matches("p", "p");
    await threads[0]!.finish();
    assert.equal(await again, true);
  });

  it("refuses what is too much, of one source and of all", async () => {
    const { queue } = setUp();
    quiet(queue.matches("first", "x"));
    for (let n = 0; n < 1024; n++) quiet(queue.matches(`${n}`, "root", { source: "a" }));
    await assert.rejects(queue.matches("more", "root", { source: "a" }), tooMany);
    for (let n = 0; n < 1024; n++) quiet(queue.matches(`b${n}`, "root", { source: `b${n}` }));
    assert.equal(queue.waiting, 2048);
    await assert.rejects(queue.matches("more", "root", { source: "c" }), tooMany);
  });

  it("limits callers who share a question", async () => {
    const { queue } = setUp();
    for (let n = 0; n < 16_384; n++) quiet(queue.matches("p", "p"));
    await assert.rejects(queue.matches("p", "p"), tooMany);
  });

  it("drops what nobody waits for any more", async () => {
    const { queue, threads } = setUp();
    quiet(queue.matches("first", "x"));
    const [one, other] = [new AbortController(), new AbortController()];
    const asked = [
      queue.matches("a", "h", { signal: one.signal }),
      queue.matches("a", "h", { signal: other.signal }),
    ];
    one.abort();
    await assert.rejects(asked[0]!, { message: "context canceled" });
    assert.equal(queue.waiting, 1);
    other.abort();
    await assert.rejects(asked[1]!, { message: "context canceled" });
    assert.equal(queue.waiting, 0);
    await assert.rejects(queue.matches("a", "h", { signal: one.signal }), { message: "context canceled" });
    await threads[0]!.finish();
    assert.equal(threads[0]!.work, undefined);
    const again = queue.matches("a", "h");
    await threads[0]!.finish();
    assert.equal(await again, false);
  });

  it("works with several threads, no more than allowed, and ends them when idle", async () => {
    const { queue, threads, clock } = setUp({ threadsMax: 2 });
    const asked = ["a", "b", "c"].map((password) => queue.matches(password, "b"));
    assert.equal(threads.length, 2);
    assert.equal(queue.waiting, 1);
    for (const thread of [threads[0]!, threads[1]!, threads[0]!]) await thread.finish();
    assert.deepEqual(await Promise.all(asked), [false, true, false]);
    await clock.advance(59_000);
    assert.deepEqual([threads[0]!.ended, threads[1]!.ended], [false, false]);
    await clock.advance(1_000);
    assert.deepEqual([threads[0]!.ended, threads[1]!.ended], [true, true]);
    quiet(queue.matches("d", "b"));
    assert.equal(threads.length, 3);
    assert.equal(clock.pendingTimers, 1);
  });

  it("goes on with another thread when one fails or takes too long", async () => {
    const { queue, threads, clock } = setUp();
    const [first, second, third] = ["a", "b", "c"].map((password) => queue.matches(password, "c"));
    await threads[0]!.fail();
    await assert.rejects(first!, { message: "password check failed" });
    assert.equal(threads.length, 2);
    quiet(second!);
    await clock.advance(60_000);
    assert.ok(threads[1]!.ended);
    await assert.rejects(second!, { message: "password check failed" });
    await threads[2]!.finish();
    assert.equal(await third, true);
  });

  it("answers everybody when it is closed", async () => {
    const { queue, threads } = setUp();
    const asked = ["a", "b"].map((password) => queue.matches(password, "c"));
    queue.close();
    for (const one of asked) await assert.rejects(one, { message: "etcdserver: server stopped" });
    await assert.rejects(queue.hash("x"), { message: "etcdserver: server stopped" });
    assert.ok(threads[0]!.ended);
  });
});
