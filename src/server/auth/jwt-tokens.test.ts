import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, it } from "node:test";
import { decodeJwt, decodeProtectedHeader, SignJWT, UnsecuredJWT } from "jose";
import { FakeClock, settle } from "../../lib/testing/fake-clock.ts";
import { recordingLogger } from "../../lib/testing/recording-logger.ts";
import { JwtTokens } from "./jwt-tokens.ts";
import { MemoryFiles } from "./testing/memory-files.ts";
import { parseTokenOptions } from "./token-options.ts";

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}
const rsa: Pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const otherRsa: Pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const weakRsa: Pair = generateKeyPairSync("rsa", { modulusLength: 1024 });
const p256: Pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const p384: Pair = generateKeyPairSync("ec", { namedCurve: "P-384" });
const p521: Pair = generateKeyPairSync("ec", { namedCurve: "P-521" });
const ed: Pair = generateKeyPairSync("ed25519");

const spki = ({ publicKey }: Pair) => publicKey.export({ type: "spki", format: "pem" }) as string;
const pkcs8 = ({ privateKey }: Pair) => privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const pkcs1 = ({ privateKey }: Pair) => privateKey.export({ type: "pkcs1", format: "pem" }) as string;
const sec1 = ({ privateKey }: Pair) => privateKey.export({ type: "sec1", format: "pem" }) as string;
const publicPkcs1 = ({ publicKey }: Pair) => publicKey.export({ type: "pkcs1", format: "pem" }) as string;

const files = () =>
  new MemoryFiles({
    "rsa.pub": spki(rsa),
    "rsa.key": pkcs8(rsa),
    "rsa1.pub": publicPkcs1(rsa),
    "rsa1.key": pkcs1(rsa),
    "other.key": pkcs8(otherRsa),
    "weak.key": pkcs8(weakRsa),
    "p256.pub": spki(p256),
    "p256.key": sec1(p256),
    "p384.key": pkcs8(p384),
    "p521.key": sec1(p521),
    "ed.pub": spki(ed),
    "ed.key": pkcs8(ed),
    empty: "",
    words: "not a key at all",
  });

async function open(text: string, keyFiles = files()) {
  const clock = new FakeClock();
  const logger = recordingLogger();
  const tokenOptions = parseTokenOptions(text, logger);
  const tokens = await JwtTokens.open({ clock, logger, files: keyFiles, tokenOptions });
  return { tokens, clock, logger, keyFiles };
}

/** Of a certificate for this test, signed by itself. */
const certificateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgL3VysBMYWEJIN2vm
bMesuTav17ipe8cHBEkFkgzD24uhRANCAARHvfLsE2XwTgnzsrwaawz8VDshHiuw
1eHQeAZXf0XOiQVDyFot0nJN6zxRwAsPdipzesaX9ihjzTnQAUSs4EHL
-----END PRIVATE KEY-----
`;
const certificate = `-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUJHWUawolmUvaydPMMSjYraqr8jcwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGdG9rZW5zMCAXDTI2MTEyMTE5MTYxNFoYDzIxMjYxMDI4MTkx
NjE0WjARMQ8wDQYDVQQDDAZ0b2tlbnMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARHvfLsE2XwTgnzsrwaawz8VDshHiuw1eHQeAZXf0XOiQVDyFot0nJN6zxRwAsP
dipzesaX9ihjzTnQAUSs4EHLo1MwUTAdBgNVHQ4EFgQU+3zv7PpmgI0fadzhiT7e
AqFQ4CMwHwYDVR0jBBgwFoAU+3zv7PpmgI0fadzhiT7eAqFQ4CMwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEA1wH0kWc+mLmQLKXkoiS0qQvDmS0P
3XiK6WWLTnI59mgCIGIe/s1Eu8Aya2tmEU1yG5GpASC0W82rQ/1vBMcgc1um
-----END CERTIFICATE-----
`;

const grant = { username: "alice", authRevision: 123, prefix: "", index: 5 };
const alice = { username: "alice", authRevision: 123 };

/** What etcd's tests call a good configuration, and the key forms that Go reads. */
const good = [
  "jwt,priv-key=rsa.key,sign-method=RS256,ttl=1h",
  "jwt,pub-key=rsa.pub,priv-key=rsa.key,sign-method=RS384",
  "jwt,pub-key=rsa1.pub,priv-key=rsa1.key,sign-method=RS512",
  "jwt,pub-key=rsa.pub,priv-key=rsa.key,sign-method=PS256",
  "jwt,priv-key=rsa.key,sign-method=PS384",
  "jwt,priv-key=rsa.key,sign-method=PS512",
  "jwt,pub-key=p256.pub,priv-key=p256.key,sign-method=ES256",
  "jwt,priv-key=p384.key,sign-method=ES384",
  "jwt,priv-key=p521.key,sign-method=ES512",
  "jwt,pub-key=ed.pub,priv-key=ed.key,sign-method=EdDSA",
  "jwt,priv-key=words,sign-method=HS256",
  "jwt,priv-key=rsa.key,sign-method=HS384",
  "jwt,pub-key=rsa.pub,priv-key=words,sign-method=HS512",
];

describe("JwtTokens", () => {
  for (const text of good) {
    it(`signs and verifies with ${text}`, async () => {
      const { tokens, clock } = await open(text);
      const token = await tokens.issue(grant);
      const method = /sign-method=(\w+)/.exec(text)![1]!;
      const ttlSeconds = text.includes("ttl=1h") ? 3600 : 300;
      assert.deepEqual(decodeProtectedHeader(token), { alg: method, typ: "JWT" });
      assert.deepEqual(decodeJwt(token), {
        username: "alice",
        revision: 123,
        exp: clock.wallMs() / 1000 + ttlSeconds,
      });
      assert.deepEqual(await tokens.identify(token), alice);
      assert.equal(await tokens.identify("aaa"), undefined);
      if (!/pub-key/.test(text) || method.startsWith("HS")) return;
      const verifying = await open(text.replace(/,priv-key=[^,]+/, ""));
      assert.deepEqual(await verifying.tokens.identify(token), alice);
      await assert.rejects(verifying.tokens.issue(grant), {
        message: "auth: token signing attempted with verify-only key",
      });
    });
  }

  it("takes the public key of a certificate", async () => {
    const { tokens } = await open(
      "jwt,pub-key=cert,sign-method=ES256",
      new MemoryFiles({ cert: certificate }),
    );
    const token = await new SignJWT({ username: "bob", revision: 1 })
      .setProtectedHeader({ alg: "ES256" })
      .sign(createPrivateKey(certificateKey));
    assert.deepEqual(await tokens.identify(token), { username: "bob", authRevision: 1 });
  });

  const options = "auth: invalid auth options";
  const bad: readonly (readonly [string, string | RegExp])[] = [
    ["jwt", options],
    ["jwt,sign-method=invalid", options],
    ["jwt,sign-method=RS256,ttl=forever", options],
    ["jwt,sign-method=RS256,pub-key=missing", options],
    ["jwt,sign-method=RS256,priv-key=missing", options],
    ["jwt,sign-method=RS256", "auth: missing key data"],
    ["jwt,sign-method=ES256", "auth: missing key data"],
    ["jwt,sign-method=EdDSA", "auth: missing key data"],
    ["jwt,sign-method=HS256", "auth: missing key data"],
    ["jwt,sign-method=HS256,priv-key=empty", "auth: missing key data"],
    ["jwt,sign-method=HS256,pub-key=rsa.pub", "auth: missing key data"],
    ["jwt,sign-method=none,priv-key=rsa.key", "unsupported signing method: *jwt.signingMethodNone"],
    ["jwt,sign-method=RS256,pub-key=rsa.key,priv-key=rsa.key", /^invalid key: found PRIVATE KEY/],
    ["jwt,sign-method=RS256,pub-key=rsa.pub,priv-key=rsa.pub", /^invalid key: found PUBLIC KEY/],
    ["jwt,sign-method=RS256,priv-key=words", /^invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key$/],
    ["jwt,sign-method=RS256,pub-key=rsa.pub,priv-key=other.key", "auth: public and private keys don't match"],
    ["jwt,sign-method=RS256,priv-key=p256.key", "key is not a valid RSA private key"],
    ["jwt,sign-method=RS256,pub-key=ed.pub", "key is not a valid RSA public key"],
    ["jwt,sign-method=ES256,priv-key=rsa.key", "key is not a valid ECDSA private key"],
    ["jwt,sign-method=EdDSA,pub-key=rsa.pub", "key is not a valid Ed25519 public key"],
    ["jwt,sign-method=ES256,priv-key=p384.key", "key is invalid"],
    ["jwt,sign-method=RS256,priv-key=weak.key", /^key is invalid: 1024 bits/],
  ];
  for (const [text, message] of bad) {
    it(`refuses ${text}`, async () => {
      const keyFiles = files();
      await assert.rejects(open(text, keyFiles), { name: "TokenOptionsError", message });
      assert.equal(keyFiles.watched, 0);
    });
  }

  it("warns of settings that it does not know", async () => {
    const { logger } = await open("jwt,priv-key=ed.key,sign-method=EdDSA,kid=1");
    assert.deepEqual(logger.lines, [
      { level: "warn", message: "unknown JWT options", fields: { keys: ["kid"] } },
    ]);
  });

  it("refuses tokens that are over, not signed, of another method or without a claim", async () => {
    const { tokens, clock } = await open("jwt,priv-key=rsa.key,sign-method=RS256,ttl=10s");
    const sign = (claims: Record<string, unknown>, alg = "RS256", key = rsa.privateKey) =>
      new SignJWT(claims).setProtectedHeader({ alg }).sign(key);
    const full = { username: "alice", revision: 1 };
    const nowSeconds = Math.floor(clock.wallMs() / 1000);
    assert.ok(await tokens.identify(await sign(full)), "exp may be missing");
    const refused = {
      expired: await sign({ ...full, exp: nowSeconds }),
      "not yet": await sign({ ...full, nbf: nowSeconds + 60 }),
      "no username": await sign({ revision: 1 }),
      "username is a number": await sign({ username: 1, revision: 1 }),
      "no revision": await sign({ username: "alice" }),
      "revision is text": await sign({ username: "alice", revision: "1" }),
      "another method": await sign(full, "PS256"),
      "another key": await sign(full, "RS256", otherRsa.privateKey),
      unsigned: new UnsecuredJWT(full).encode(),
      "a shared secret that is the public key": await new SignJWT(full)
        .setProtectedHeader({ alg: "HS256" })
        .sign(Buffer.from(spki(rsa))),
    };
    for (const [why, token] of Object.entries(refused)) {
      assert.equal(await tokens.identify(token), undefined, why);
    }
  });

  it("knows a verified token at once, until it is over", async () => {
    const { tokens, clock } = await open("jwt,priv-key=ed.key,sign-method=EdDSA,ttl=10s");
    const token = await tokens.issue(grant);
    const first = tokens.identify(token);
    assert.ok(first instanceof Promise);
    assert.equal(tokens.identify(token), first, "verified once for all who ask meanwhile");
    assert.deepEqual(await first, alice);
    assert.deepEqual(tokens.identify(token), alice);
    await clock.advance(10_000);
    assert.equal(await tokens.identify(token), undefined);
  });

  it("reads keys again when their files change, and keeps the old ones if the new ones are broken", async () => {
    const { tokens, keyFiles, logger } = await open("jwt,priv-key=ed.key,sign-method=EdDSA");
    const token = await tokens.issue(grant);
    assert.deepEqual(await tokens.identify(token), alice);
    keyFiles.write("ed.key", "half of a k");
    await waitFor(() => logger.lines.some(({ message }) => /old ones stay in use/.test(message)));
    assert.deepEqual(await tokens.identify(token), alice);
    keyFiles.write("ed.key", pkcs8(generateKeyPairSync("ed25519")));
    await waitFor(() => logger.lines.some(({ message }) => message === "read the JWT keys again"));
    assert.equal(await tokens.identify(token), undefined);
    assert.deepEqual(await tokens.identify(await tokens.issue(grant)), alice);
    tokens.close();
    assert.equal(keyFiles.watched, 0);
  });

  it("logs refused tokens, but not each of a flood", async () => {
    const { tokens, logger, clock } = await open("jwt,priv-key=ed.key,sign-method=EdDSA");
    for (let n = 0; n < 100; n++) assert.equal(tokens.identify(`x${n}`), undefined);
    assert.equal(logger.lines.length, 1);
    await clock.advance(1_000);
    tokens.identify("x");
    assert.deepEqual(logger.lines.at(-1)?.fields, { error: "token is malformed", "not-logged": 99 });
  });
});

/** Until it holds; the time limit of the test ends what never does. */
async function waitFor(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await settle();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
