import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { PasswordThread } from "../lib/password-work.ts";
import { startPasswordThread } from "./password-thread.ts";

/** Made by Go's bcrypt, as etcd stores them. */
const goHashes = [
  ["secret", "$2a$04$niNf6lqaf8dU71VVF8FsAeG94iAkTnAGgbsq70CHZoaHn/ICo343C"],
  ["", "$2a$04$4DuwPkavffqvLBvb8bLSGO8yKKrfF9ggwi6fBEl/WgYYnqvyEmS7G"],
  ["pässwörd 😀", "$2a$04$/jy4uxuJXvc2xOCnvzH/1O9Mo8vBQjtWymcE812DgfAm3ikM25Ovm"],
  ["a\x00b", "$2a$04$VZXlLOCUQv7fekAjx4u8M.Dz0xVPDQRq9oLlAdZ1G03OD/lcwuevG"],
  [
    "012345678901234567890123456789012345678901234567890123456789012345678901",
    "$2a$04$FBvJNLFbeo26VcBETWDQ1.fS8fid4hPr008jt2MSoaZPMuoDztTpy",
  ],
] as const;

describe("a thread for passwords", () => {
  let thread: PasswordThread;
  before(() => {
    thread = startPasswordThread();
  });
  after(() => thread.end());

  const matches = (password: string, hash: string) => thread.run({ kind: "match", password, hash });

  it("knows the passwords of hashes that Go made", async () => {
    for (const [password, hash] of goHashes) {
      assert.equal(await matches(password, hash), true, password);
      assert.equal(await matches(`${password}x`, hash), password.length >= 72, `${password}x`);
      assert.equal(await matches(`x${password}`, hash), false, `x${password}`);
    }
  });

  it("makes hashes that it knows again, each with a salt of its own", async () => {
    const hash = (await thread.run({ kind: "hash", password: "secret", cost: 5 })) as string;
    assert.match(hash, /^\$2a\$05\$.{53}$/);
    assert.notEqual(await thread.run({ kind: "hash", password: "secret", cost: 5 }), hash);
    assert.equal(await matches("secret", hash), true);
    assert.equal(await matches("Secret", hash), false);
  });

  it("heeds the letter of the version as little as Go's", async () => {
    const [password, hash] = goHashes[0]!;
    for (const version of ["$2$", "$2b$", "$2x$", "$2y$", "$2z$"]) {
      assert.equal(await matches(password, hash.replace("$2a$", version)), true, version);
    }
  });

  it("finds that nothing matches what is no hash", async () => {
    const [password, hash] = goHashes[0]!;
    const broken = ["", "x", hash.slice(1), hash.slice(0, -1), `${hash}x`, hash.replace("$2a$", "$3a$")];
    for (const bad of [...broken, hash.replace("$04$", "$03$"), hash.replace("$04$", "$32$")]) {
      assert.equal(await matches(password, bad), false, bad);
    }
  });

  it("ends in the middle of its work", async () => {
    const other = startPasswordThread();
    const endless = other.run({ kind: "hash", password: "x", cost: 31 });
    await assert.rejects(other.run({ kind: "hash", password: "x", cost: 4 }), /busy/);
    other.end();
    await assert.rejects(endless, /was ended/);
    await assert.rejects(other.run({ kind: "hash", password: "x", cost: 4 }), /was ended/);
  });
});
