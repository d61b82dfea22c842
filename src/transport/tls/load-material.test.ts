import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { TestAuthority } from "../testing/make-certificates.ts";
import { loadMaterial } from "./load-material.ts";
import { TlsFolder } from "./testing/tls-world.ts";

let folder: TlsFolder;
let authority: TestAuthority;

before(async () => {
  folder = await TlsFolder.make();
  authority = await TestAuthority.make();
  await folder.putPair("server", await authority.issue({ dns: ["localhost"] }));
  await folder.putPair("client", await authority.issue({ commonName: "c" }));
  await folder.put("ca.crt", authority.cert);
  await folder.put("garbage", "garbage");
  await folder.put("bad.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
});
after(() => folder.remove());

describe("files of certificates", () => {
  it("are refused, with the reason", async () => {
    const { path } = folder;
    const at = path.bind(folder);
    const refused: [object, RegExp][] = [
      [{ keyFile: "" }, /^Error: KeyFile and CertFile must both be present\[key: , cert: .*server\.crt\]$/],
      [{ certFile: "" }, /KeyFile and CertFile must both be present/],
      [
        { clientCertFile: at("client.crt") },
        /ClientKeyFile and ClientCertFile must both be present or both absent/,
      ],
      [{ certFile: at("none") }, /open .*none: no such file or directory$/],
      [{ certFile: folder.dir }, /is a directory$/],
      [{ keyFile: at("none") }, /open .*none: no such file or directory$/],
      [{ keyFile: at("client.key") }, /private key does not match public key/],
      [{ certFile: at("garbage") }, /failed to find any PEM data in certificate input/],
      [{ keyFile: at("garbage") }, /failed to find any PEM data in key input/],
      [{ keyFile: at("bad.key") }, /failed to parse private key/],
      [{ trustedCaFile: at("garbage") }, /no certificates of authorities in /],
      [{ trustedCaFile: at("none") }, /no such file or directory/],
      [{ crlFile: at("garbage") }, /x509: malformed crl/],
      [{ crlFile: at("none") }, /no such file or directory/],
      [{ clientCertFile: at("client.crt"), clientKeyFile: at("server.key") }, /does not match/],
    ];
    for (const [changes, reason] of refused) {
      await assert.rejects(loadMaterial(folder.settings(changes)), reason);
    }
  });

  it("may hold everything at once, and keys as OpenSSL's older tools write them", async () => {
    const { cert, key } = await authority.issue({ dns: ["localhost"] });
    const older = createPrivateKey(key).export({ type: "sec1", format: "pem" });
    const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    const all = await folder.put(
      "all.pem",
      `Bag Attributes\n${parameters}${older}\n${cert}\n${authority.cert}`,
    );
    const { server } = await loadMaterial(folder.settings({ certFile: all, keyFile: all }));
    assert.equal(String(server.cert).match(/BEGIN CERTIFICATE/g)?.length, 2);
    assert.match(String(server.key), /^-----BEGIN EC PRIVATE KEY-----/);
  });

  it("ask for certificates when there is somebody to trust, or when told to", async () => {
    const asks = async (changes: object) => (await loadMaterial(folder.settings(changes))).server.requestCert;
    assert.equal(await asks({}), false);
    assert.equal(await asks({ clientCertAuth: true }), true);
    assert.equal(await asks({ trustedCaFile: folder.path("ca.crt") }), true);
  });

  it("give calls to others a certificate of their own, or the server's", async () => {
    const same = await loadMaterial(folder.settings());
    assert.equal(same.client.cert, same.server.cert);
    assert.equal(same.client.rejectUnauthorized, true);
    const other = await loadMaterial(
      folder.settings({
        clientCertFile: folder.path("client.crt"),
        clientKeyFile: folder.path("client.key"),
      }),
    );
    assert.notEqual(other.client.cert, other.server.cert);
    const self = await loadMaterial(folder.settings({ selfSigned: true }));
    assert.equal(self.client.rejectUnauthorized, false);
  });
});
