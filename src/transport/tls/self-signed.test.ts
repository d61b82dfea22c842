import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile, rm, stat } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { loadMaterial } from "./load-material.ts";
import { selfSigned } from "./self-signed.ts";
import { recordingLogger, TlsFolder, TlsPort } from "./testing/tls-world.ts";

let folder: TlsFolder;
before(async () => {
  folder = await TlsFolder.make();
});
after(() => folder.remove());

const nowMs = Date.UTC(2026, 5, 1);

function make(dir: string, validityYears = 2) {
  const { lines, logger } = recordingLogger();
  const options = { dir: folder.path(dir), hosts: ["127.0.0.1", "::1", "localhost", "localhost", ""] };
  const files = selfSigned({ ...options, validityYears, logger, nowMs });
  return { lines, files };
}

describe("a certificate of a server's own making", () => {
  it("is for the hosts it listens on, and for so many years", async () => {
    const { lines, files } = make("fixtures/client");
    const { certFile, keyFile } = await files;
    const certificate = new X509Certificate(await readFile(certFile));
    assert.match(certificate.subject, /O=etcd/);
    assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
    assert.ok(certificate.checkIP("::1") !== undefined);
    assert.equal(certificate.checkHost("localhost"), "localhost");
    assert.equal(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom), 2 * 365 * 86_400_000);
    assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
    assert.equal(lines[0]?.msg, "automatically generate certificates");
    await loadMaterial(folder.settings({ certFile, keyFile }));
  });

  it("can be used by clients that take it for an authority", async () => {
    const { certFile, keyFile } = await selfSigned({
      dir: folder.path("usable"),
      hosts: ["127.0.0.1"],
      validityYears: 1,
      logger: recordingLogger().logger,
      nowMs: Date.now(),
    });
    const port = await TlsPort.open(folder.settings({ certFile, keyFile }));
    assert.equal((await port.attempt({ rejectUnauthorized: false })).answer, "secure nobody");
    assert.equal((await port.attempt({ rejectUnauthorized: false })).organization, "etcd");
    port.close();
  });

  it("is used again", async () => {
    const first = await make("again").files;
    const before = await readFile(first.certFile, "utf8");
    const { lines, files } = make("again", 5);
    assert.deepEqual(await files, first);
    assert.equal(await readFile(first.certFile, "utf8"), before);
    assert.deepEqual(lines, []);
  });

  it("is made anew if half of it is missing", async () => {
    const { certFile, keyFile } = await make("half").files;
    const before = await readFile(keyFile, "utf8");
    await rm(certFile);
    await make("half").files;
    assert.notEqual(await readFile(keyFile, "utf8"), before);
    await loadMaterial(folder.settings({ certFile, keyFile }));
  });

  it("is good for some time", async () => {
    const { lines, files } = make("never", 0);
    await assert.rejects(files, /^Error: selfSignedCertValidity is invalid,it should be greater than 0$/);
    assert.equal(lines[0]?.msg, "cannot generate cert");
    const { certFile } = await make("for-ever", 100_000).files;
    assert.match(new X509Certificate(await readFile(certFile)).validTo, /9999/);
  });
});
