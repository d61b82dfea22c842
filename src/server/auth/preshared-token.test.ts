import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock, settle } from "../../lib/testing/fake-clock.ts";
import { recordingLogger } from "../../lib/testing/recording-logger.ts";
import { openTokens } from "./open-tokens.ts";
import { MemoryFiles } from "./testing/memory-files.ts";

const secret = "some-secret-token";

async function make(authToken: string, files = new MemoryFiles(), environment = {}) {
  const logger = recordingLogger();
  const makeProvider = await openTokens({
    authToken,
    files,
    environment,
    logger,
    clock: new FakeClock(),
    randomU32: () => 1,
    ttlSeconds: 300,
  });
  const provider = makeProvider({ appliedIndex: () => 100 });
  provider.enable();
  return { provider, logger };
}

const root = { username: "root", authRevision: 4 };
const alice = { username: "alice", authRevision: 4, prefix: "abc", index: 7 };

describe("openTokens", () => {
  it("gives simple tokens, and warns of them as etcd does", async () => {
    const { provider, logger } = await make("simple");
    assert.equal(logger.lines[0]?.message, "simple token is not cryptographically signed");
    provider.assign(alice);
    assert.deepEqual(provider.identify("abc.7", 4), { username: "alice", authRevision: 4 });
  });

  it("gives nobody a token when --auth-token is empty", async () => {
    const { provider } = await make("");
    provider.assign(alice);
    assert.throws(() => provider.issue(alice), {
      message: "etcdserver: authentication failed, invalid user ID or password",
    });
    assert.equal(provider.identify("abc.7", 4), undefined);
  });

  it("refuses settings that are none, or there twice", async () => {
    for (const text of ["jwt,sign-method", "jwt,ttl=1s,ttl=2s", "jwt,ttl=a=b", "simple,x", "jwt"]) {
      await assert.rejects(make(text), { message: "auth: invalid auth options" }, text);
    }
  });

  it("signs with a key", async () => {
    const { provider } = await make("jwt,priv-key=k,sign-method=HS256", new MemoryFiles({ k: "shared" }));
    const token = await provider.issue(alice);
    assert.deepEqual(await provider.identify(token, 4), { username: "alice", authRevision: 4 });
  });
});

describe("a pre-shared token", () => {
  it("acts as root, with and without the word Bearer, and warns of plain text", async () => {
    const { provider, logger } = await make(secret);
    assert.deepEqual(provider.identify(secret, 4), root);
    assert.deepEqual(provider.identify(`Bearer ${secret}`, 4), root);
    assert.deepEqual(provider.identify(`bearer ${secret}`, 4), root);
    for (const other of ["", "x", secret.slice(1), `${secret}x`, secret.toUpperCase()]) {
      assert.equal(provider.identify(other, 4), undefined, other);
    }
    assert.match(logger.lines[0]?.message ?? "", /acts as root and is in plain text/);
    assert.ok(!JSON.stringify(logger.lines).includes(secret));
  });

  it("leaves users their simple tokens", async () => {
    const { provider } = await make(secret);
    provider.assign(alice);
    assert.equal(provider.issue(alice), "abc.7");
    assert.deepEqual(provider.identify("abc.7", 4), { username: "alice", authRevision: 4 });
    provider.forgetUser("alice");
    assert.equal(provider.identify("abc.7", 4), undefined);
  });

  it("comes from a variable", async () => {
    const reference = "$" + "{TOKEN_1}";
    const { provider, logger } = await make(reference, undefined, { TOKEN_1: secret });
    assert.deepEqual(provider.identify(secret, 4), root);
    assert.deepEqual(logger.lines, []);
    await assert.rejects(make(reference), { message: "--auth-token: the variable TOKEN_1 is not set" });
  });

  it("comes from a file, and follows it", async () => {
    const files = new MemoryFiles({ "/run/token": `${secret}\n` });
    const { provider, logger } = await make("file:/run/token", files);
    assert.deepEqual(provider.identify(secret, 4), root);
    files.write("/run/token", "short");
    await settle();
    assert.match(logger.lines.at(-1)?.message ?? "", /the old one stays in use/);
    assert.deepEqual(provider.identify(secret, 4), root);
    files.write("/run/token", "another-secret-token");
    await settle();
    assert.equal(provider.identify(secret, 4), undefined);
    assert.deepEqual(provider.identify("another-secret-token", 4), root);
    provider.close?.();
    assert.equal(files.watched, 0);
    await assert.rejects(make("file:/missing"), { message: "--auth-token: ENOENT: /missing" });
  });

  it("is not what was meant to be a kind of token", async () => {
    const texts = [
      "smple",
      "JWT",
      "jwt2",
      "Simple",
      "simple-but-long-enough",
      "jwtpub-key=x,priv-key=yyyyyyy",
    ];
    for (const text of [
      ...texts,
      "jtw,pub-key=a,priv-key=b",
      "sixteen letters and spaces",
      "sixteen-letters-é",
    ]) {
      await assert.rejects(make(text), /^TokenOptionsError: auth: invalid auth options: --auth-token /, text);
    }
  });
});
