import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "../../lib/prng.ts";
import { FakeClock } from "../../lib/testing/fake-clock.ts";
import { silentLogger } from "../../lib/testing/silent-logger.ts";
import { SimpleTokens } from "./simple-tokens.ts";

const seed = 20;

function setUp(ttlSeconds = 10) {
  const clock = new FakeClock();
  const prng = new Prng(seed);
  const state = { applied: 0 };
  const tokens = new SimpleTokens({
    clock,
    logger: silentLogger,
    randomU32: () => prng.below(2 ** 32),
    ttlSeconds,
    appliedIndex: () => state.applied,
  });
  tokens.enable();
  const grant = (username: string, index: number) => {
    const made = { username, authRevision: 1, prefix: tokens.newPrefix(), index };
    tokens.assign(made);
    state.applied = index;
    return tokens.issue(made);
  };
  return { clock, tokens, grant, state };
}

describe("SimpleTokens", () => {
  it("makes a token of sixteen letters and the index", () => {
    const { tokens } = setUp();
    const prefix = tokens.newPrefix();
    assert.match(prefix, /^[a-zA-Z]{16}$/);
    assert.notEqual(tokens.newPrefix(), prefix);
    assert.equal(tokens.issue({ username: "a", authRevision: 1, prefix, index: 12 }), `${prefix}.12`);
  });

  it("draws each letter equally often", () => {
    const { tokens } = setUp();
    const counts = new Map<string, number>();
    for (let i = 0; i < 2000; i++) {
      for (const letter of tokens.newPrefix()) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    }
    assert.equal(counts.size, 52);
    const expected = (2000 * 16) / 52;
    for (const [letter, count] of counts) {
      assert.ok(Math.abs(count - expected) < expected / 3, `seed ${seed}: ${letter} came ${count} times`);
    }
  });

  it("knows whose a token is, with the auth revision of now", () => {
    const { tokens, grant } = setUp();
    const token = grant("alice", 7);
    assert.deepEqual(tokens.identify(token, 1), { username: "alice", authRevision: 1 });
    assert.deepEqual(tokens.identify(token, 9), { username: "alice", authRevision: 9 });
    assert.equal(tokens.identify(token.slice(1), 1), undefined);
    for (const none of ["", ".", "x", "x.", "x.y", "a.b.7", "x.-1", "x.99999999999999999999999"]) {
      assert.equal(tokens.identify(none, 1), undefined, none);
    }
  });

  it("forgets a token that nobody used for its time to live, and not before", async () => {
    const { tokens, grant, clock } = setUp(10);
    const used = grant("alice", 1);
    const unused = grant("alice", 2);
    for (let second = 0; second < 25; second++) {
      await clock.advance(1000);
      assert.ok(tokens.identify(used, 1), `after ${second + 1} s`);
      assert.equal(tokens.size, second < 10 ? 2 : 1, `after ${second + 1} s`);
    }
    assert.equal(tokens.identify(unused, 1), undefined);
    await clock.advance(9_999);
    assert.equal(tokens.size, 1);
    assert.ok(tokens.identify(used, 1));
    await clock.advance(10_001);
    assert.equal(tokens.identify(used, 1), undefined);
    await clock.advance(1_000);
    assert.equal(tokens.size, 0);
    assert.equal(clock.pendingTimers, 0);
  });

  it("takes five minutes when no time is given", async () => {
    const { tokens, grant, clock } = setUp(0);
    const token = grant("alice", 1);
    await clock.advance(299_000);
    assert.ok(tokens.identify(token, 1));
    await clock.advance(301_000);
    assert.equal(tokens.identify(token, 1), undefined);
  });

  it("forgets a user's tokens, and all when authentication is turned off", () => {
    const { tokens, grant } = setUp();
    const [a1, a2, b] = [grant("alice", 1), grant("alice", 2), grant("bob", 3)];
    tokens.forgetUser("alice");
    tokens.forgetUser("nobody");
    assert.deepEqual([tokens.identify(a1, 1), tokens.identify(a2, 1)], [undefined, undefined]);
    assert.ok(tokens.identify(b, 1));
    tokens.disable();
    assert.equal(tokens.identify(b, 1), undefined);
    grant("carol", 4);
    assert.equal(tokens.size, 0);
    tokens.enable();
    assert.ok(tokens.identify(grant("carol", 5), 1));
  });

  it("waits for a token whose entry others have applied", async () => {
    const { tokens, clock, state } = setUp();
    state.applied = 5;
    const grant = { username: "alice", authRevision: 1, prefix: "prefix", index: 6 };
    const waiting = tokens.identify("prefix.6", 1);
    assert.ok(waiting instanceof Promise);
    tokens.assign(grant);
    assert.deepEqual(await waiting, { username: "alice", authRevision: 1 });
    const skipped = tokens.identify("other.7", 1);
    state.applied = 7;
    await clock.advance(100);
    assert.equal(await skipped, undefined);
    const never = tokens.identify("other.8", 1);
    await clock.advance(5_100);
    assert.equal(await never, undefined);
  });

  it("lets only so many wait", async () => {
    const { tokens } = setUp();
    const waiting = Array.from({ length: 1_000 }, (_, at) => tokens.identify(`x.${at + 1}`, 1));
    assert.ok(waiting.every((answer) => answer instanceof Promise));
    assert.equal(tokens.identify("x.1001", 1), undefined);
    tokens.close();
    assert.deepEqual(new Set(await Promise.all(waiting)), new Set([undefined]));
  });

  it("takes the oldest token of whoever has most when there are too many", () => {
    const { tokens, grant } = setUp();
    const bob = grant("bob", 1);
    const first = grant("alice", 2);
    for (let index = 3; index <= 100_001; index++) {
      tokens.assign({ username: "alice", authRevision: 1, prefix: "x", index });
    }
    assert.equal(tokens.size, 100_000);
    assert.equal(tokens.identify(first, 1), undefined);
    assert.ok(tokens.identify(bob, 1));
  });
});
