import assert from "node:assert/strict";
import { stat, utimes } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { type Issued, TestAuthority } from "../testing/make-certificates.ts";
import { RawClient } from "../testing/raw-client.ts";
import { waitFor } from "../testing/wait-for.ts";
import { TlsFolder, TlsPort } from "./testing/tls-world.ts";
import type { TlsSettings } from "./tls-settings.ts";

/** rustls tells that a certificate is not good, and not why. */
const isDeno = "deno" in process.versions;
const generic = "tls: failed to verify certificate: x509: certificate signed by unknown authority";
const host = { dns: ["localhost"], ips: ["127.0.0.1"] };

let folder: TlsFolder;
let authority: TestAuthority;
let client: Issued;

before(async () => {
  folder = await TlsFolder.make();
  authority = await TestAuthority.make();
  client = await authority.issue({ commonName: "alice", ...host });
  await folder.put("ca.crt", authority.cert);
  await folder.putPair("server", await authority.issue({ organization: "one", ...host }));
});
after(() => folder.remove());

const credentials = ({ cert, key }: Issued) => ({ ca: authority.cert, cert, key });
const mutual = (changes: Partial<TlsSettings> = {}) =>
  folder.settings({ trustedCaFile: folder.path("ca.crt"), clientCertAuth: true, ...changes });

async function withPort(settings: TlsSettings, run: (port: TlsPort) => Promise<void>): Promise<void> {
  const port = await TlsPort.open(settings);
  try {
    await run(port);
  } finally {
    port.close();
  }
}

/** The one rejection there is to be. */
async function rejection(port: TlsPort) {
  await waitFor("a rejection in the log", () => port.rejections.length > 0);
  assert.equal(port.rejections.length, 1);
  return port.rejections[0]!;
}

describe("a port with TLS", () => {
  it("takes clients without certificates if it does not ask for any", async () => {
    await withPort(folder.settings(), async (port) => {
      assert.equal((await port.attempt({ ca: authority.cert })).answer, "secure nobody");
      assert.equal((await port.attempt(credentials(client))).answer, "secure nobody");
    });
  });

  it("names clients only when their names are users'", async () => {
    await withPort(mutual(), async (port) => {
      assert.equal((await port.attempt(credentials(client))).answer, "secure alice");
    });
    await withPort(mutual({ clientCertAuth: false }), async (port) => {
      assert.equal((await port.attempt(credentials(client))).answer, "secure nobody");
    });
  });

  it("says in the log who came without a certificate, and to the client what is missing", async () => {
    await withPort(mutual(), async (port) => {
      const { answer, error } = await port.attempt({ ca: authority.cert, servername: "localhost" });
      assert.equal(answer, undefined);
      assert.match(error ?? "", /CERTIFICATE_REQUIRED/);
      const line = await rejection(port);
      assert.equal(line.level, "warn");
      assert.equal(line.msg, "rejected connection on client endpoint");
      assert.equal(line["error"], "tls: client didn't provide a certificate");
      assert.match(String(line["remote-addr"]), /^127\.0\.0\.1:\d+$/);
      if (!isDeno) assert.equal(line["server-name"], "localhost");
    });
  });

  it("says in the log what is wrong with a certificate, and from where it came", async () => {
    const stranger = await (await TestAuthority.make("stranger")).issue({ commonName: "bob" });
    const expired = await authority.issue({ commonName: "bob", fromDays: -9, untilDays: -1 });
    const early = await authority.issue({ commonName: "bob", fromDays: 1 });
    const serverOnly = await authority.issue({ commonName: "bob", usage: "server" });
    const cases: [Issued, string][] = [
      [stranger, generic],
      [expired, "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"],
      [early, "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"],
      [
        serverOnly,
        "tls: failed to verify certificate: x509: certificate specifies an incompatible key usage",
      ],
    ];
    for (const [certificate, text] of cases) {
      await withPort(mutual(), async (port) => {
        assert.equal((await port.attempt(credentials(certificate))).answer, undefined);
        const line = await rejection(port);
        assert.equal(line["error"], isDeno ? generic : text);
        assert.match(String(line["remote-addr"]), /^127\.0\.0\.1:\d+$/);
      });
    }
  });

  it("says in a member's log when others do not like its certificate, though they hang up without a word", async () => {
    const leave = {
      "as soon as they see it": (socket: TLSSocket) => socket.destroy(),
      "when the handshake is done": (socket: TLSSocket) => socket.end(),
    };
    for (const [when, hangUp] of Object.entries(leave)) {
      for (const [side, level] of [
        ["peer", "warn"],
        ["client", "debug"],
      ] as const) {
        await withPort(mutual({ side }), async (port) => {
          const socket = connect({ port: port.port, host: "127.0.0.1", ...credentials(client) });
          socket.on("error", () => {});
          socket.once("secureConnect", () => hangUp(socket));
          const line = await rejection(port);
          assert.equal(line.level, level, when);
          assert.equal(line.msg, `rejected connection on ${side} endpoint`);
          assert.match(
            String(line["error"]),
            side === "peer" ? /^EOF .*remote error: tls: bad certificate/ : /^EOF$/,
          );
          socket.destroy();
        });
      }
    }
  });

  it("lets in only certificates for allowed host names", async () => {
    const other = await authority.issue({ commonName: "localhost", dns: ["other.example"] });
    await withPort(mutual({ allowedHostnames: ["no.example", "localhost"] }), async (port) => {
      assert.equal((await port.attempt(credentials(client))).answer, "secure alice");
      assert.equal((await port.attempt(credentials(other))).answer, undefined);
      const line = await rejection(port);
      assert.equal(line["error"], "client certificate authentication failed");
      assert.deepEqual(line["dns-names"], ["other.example"]);
      assert.deepEqual(line["ip-addresses"], []);
    });
    const wild = await authority.issue({ commonName: "w", dns: ["*.example.com"] });
    await withPort(mutual({ allowedHostnames: ["a.example.com"] }), async (port) => {
      assert.equal((await port.attempt(credentials(wild))).answer, "secure w");
    });
    await withPort(mutual({ allowedHostnames: ["a.b.example.com"] }), async (port) => {
      assert.equal((await port.attempt(credentials(wild))).answer, undefined);
    });
  });

  it("lets in only allowed common names", async () => {
    await withPort(mutual({ allowedCommonNames: ["bob"] }), async (port) => {
      assert.equal((await port.attempt(credentials(client))).answer, undefined);
    });
    await withPort(mutual({ allowedCommonNames: ["bob", "alice"] }), async (port) => {
      assert.equal((await port.attempt(credentials(client))).answer, "secure alice");
    });
  });

  it("refuses what a list says is revoked, in DER or PEM", async () => {
    const revoked = await authority.issue({ commonName: "mallory" });
    const der = await authority.revoke([revoked.serialNumber]);
    const pem = `-----BEGIN X509 CRL-----\n${Buffer.from(der).toString("base64")}\n-----END X509 CRL-----\n`;
    for (const list of [der, pem]) {
      await withPort(mutual({ crlFile: await folder.put("revoked.crl", list) }), async (port) => {
        assert.equal((await port.attempt(credentials(client))).answer, "secure alice");
        assert.equal((await port.attempt(credentials(revoked))).answer, undefined);
        const { error } = await rejection(port);
        assert.equal(error, `transport: certificate serial ${revoked.serialNumber} revoked`);
      });
    }
  });

  it("keeps to versions and cipher suites", async () => {
    const { cert } = authority;
    await withPort(folder.settings({ minVersion: "TLSv1.3" }), async (port) => {
      assert.equal((await port.attempt({ ca: cert })).protocol, "TLSv1.3");
      assert.equal((await port.attempt({ ca: cert, maxVersion: "TLSv1.2" })).answer, undefined);
    });
    await withPort(folder.settings({ maxVersion: "TLSv1.2" }), async (port) => {
      assert.equal((await port.attempt({ ca: cert })).protocol, "TLSv1.2");
      assert.equal((await port.attempt({ ca: cert, minVersion: "TLSv1.3" })).answer, undefined);
    });
    if (isDeno) return; // refused at the start there: check-runtime.ts
    const cipherSuites = ["ECDHE-ECDSA-CHACHA20-POLY1305"];
    await withPort(folder.settings({ cipherSuites }), async (port) => {
      const old = { ca: cert, maxVersion: "TLSv1.2" as const };
      assert.equal((await port.attempt(old)).answer, "secure nobody");
      const other = await port.attempt({ ...old, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" });
      assert.equal(other.answer, undefined);
      const { error } = await rejection(port);
      assert.equal(error, "tls: no cipher suite supported by both client and server");
      assert.equal((await port.attempt({ ca: cert })).protocol, "TLSv1.3");
    });
  });

  it("speaks TLS 1.2 with a key on P-521, as etcd makes them", async () => {
    const etcds = await TlsFolder.make();
    await etcds.putPair("server", await authority.issue({ organization: "etcd", curve: "P-521", ...host }));
    const trustedCaFile = await etcds.put("ca.crt", authority.cert);
    await withPort(etcds.settings({ maxVersion: "TLSv1.2", trustedCaFile }), async (port) => {
      const { protocol, organization, answer } = await port.attempt(await port.identity.clientOptions());
      assert.deepEqual([protocol, organization, answer], ["TLSv1.2", "etcd", "secure nobody"]);
    });
    await etcds.remove();
  });

  it("answers HTTP/1.1 without TLS with what is wrong, and logs it", async () => {
    await withPort(folder.settings(), async (port) => {
      const socket = await port.plain();
      let text = "";
      socket.on("data", (piece) => {
        text += piece;
      });
      const closed = new Promise((resolve) => socket.on("close", resolve));
      socket.write("GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
      await closed;
      assert.match(text, /^HTTP\/1\.0 400 Bad Request\r\n/);
      assert.match(text, /Client sent an HTTP request to an HTTPS server\./);
      assert.equal((await rejection(port))["error"], "tls: first record does not look like a TLS handshake");
    });
  });
});

describe("files of certificates that change", () => {
  it("are used by the next handshake: certificates", async () => {
    const changing = await TlsFolder.make();
    await changing.putPair("server", await authority.issue({ organization: "one", ...host }));
    await withPort(changing.settings(), async (port) => {
      const { ca } = credentials(client);
      assert.equal((await port.attempt({ ca })).organization, "one");
      await changing.putPair("server", await authority.issue({ organization: "two", ...host }));
      assert.equal((await port.attempt({ ca })).organization, "two");
    });
    await changing.remove();
  });

  it("are used by the next handshake: authorities and revocation lists", async () => {
    const changing = await TlsFolder.make();
    const next = await TestAuthority.make("next");
    const fromNext = await next.issue({ commonName: "carol" });
    await changing.putPair("server", await authority.issue({ ...host }));
    const trustedCaFile = await changing.put("ca.crt", authority.cert);
    const crlFile = await changing.put("crl", await authority.revoke([]));
    const settings = changing.settings({ trustedCaFile, crlFile, clientCertAuth: true });
    await withPort(settings, async (port) => {
      const carol = { ca: authority.cert, cert: fromNext.cert, key: fromNext.key };
      assert.equal((await port.attempt(carol)).answer, undefined);
      assert.equal((await port.attempt(credentials(client))).answer, "secure alice");
      await changing.put("ca.crt", `${authority.cert}\n${next.cert}\n`);
      assert.equal((await port.attempt(carol)).answer, "secure carol");
      assert.equal((await port.attempt(credentials(client))).answer, "secure alice");
      await changing.put("crl", await authority.revoke([client.serialNumber]));
      assert.equal((await port.attempt(credentials(client))).answer, undefined);
      await changing.put("ca.crt", authority.cert);
      assert.equal((await port.attempt(carol)).answer, undefined);
    });
    await changing.remove();
  });

  it("count for sessions that go on, too", async () => {
    const changing = await TlsFolder.make();
    const next = await TestAuthority.make("next");
    await changing.putPair("server", await authority.issue({ ...host }));
    const trustedCaFile = await changing.put("ca.crt", authority.cert);
    const crlFile = await changing.put("crl", await authority.revoke([]));
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const settings = changing.settings({ trustedCaFile, crlFile, clientCertAuth: true, maxVersion });
      await changing.put("ca.crt", authority.cert);
      await changing.put("crl", await authority.revoke([]));
      await withPort(settings, async (port) => {
        const first = await port.attempt(credentials(client));
        assert.equal(first.answer, "secure alice");
        const again = { ...credentials(client), ...(first.session && { session: first.session }) };
        assert.equal((await port.attempt(again)).answer, "secure alice");
        await changing.put("crl", await authority.revoke([client.serialNumber]));
        assert.equal((await port.attempt(again)).answer, undefined);
        await changing.put("crl", await authority.revoke([]));
        await changing.put("ca.crt", next.cert);
        assert.equal((await port.attempt(again)).answer, undefined);
      });
    }
    await changing.remove();
  });

  it("leave everything as it is when they are broken, and are logged once", async () => {
    const changing = await TlsFolder.make();
    const one = await authority.issue({ organization: "one", ...host });
    const two = await authority.issue({ organization: "two", ...host });
    await changing.putPair("server", one);
    await withPort(changing.settings(), async (port) => {
      const { ca } = credentials(client);
      const warnings = () => port.lines.filter(({ msg }) => msg.startsWith("cannot use changed TLS files"));
      const broken: [string, string, RegExp][] = [
        ["server.crt", two.cert, /private key does not match public key/],
        ["server.crt", "garbage", /failed to find any PEM data/],
        [
          "server.crt",
          "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
          /malformed certificate/,
        ],
      ];
      for (const [i, [name, contents, reason]] of broken.entries()) {
        await changing.put(name, contents);
        assert.equal((await port.attempt({ ca })).organization, "one");
        assert.equal((await port.attempt({ ca })).organization, "one");
        assert.equal(warnings().length, i + 1);
        assert.match(String(warnings().at(-1)?.["error"]), reason);
      }
      await changing.putPair("server", two);
      assert.equal((await port.attempt({ ca })).organization, "two");
    });
    await changing.remove();
  });

  it("are read only when they have changed", async () => {
    await withPort(folder.settings(), async ({ identity, lines }) => {
      const taken = () => lines.filter(({ msg }) => msg === "took over changed TLS files").length;
      const before = identity.serverOptions;
      await Promise.all([identity.refresh(), identity.refresh(), identity.refresh()]);
      assert.equal(identity.serverOptions, before);
      const { atime, mtime } = await stat(folder.path("server.crt"));
      await utimes(folder.path("server.crt"), atime, new Date(mtime.getTime() + 1_000));
      await Promise.all([identity.refresh(), identity.refresh(), identity.refresh()]);
      assert.equal(taken(), 1);
    });
  });
});

describe("a port under attack", () => {
  it("GHSA-6vch-q96h-7gc3: ends handshakes that do not go on, and garbage", async () => {
    const port = await TlsPort.open(folder.settings(), { timeoutMs: 200 });
    const slow = await RawClient.plain(port.port);
    slow.send(Buffer.from([0x16, 3, 1, 0, 200, 1]));
    const silent = await RawClient.plain(port.port);
    const garbage = await RawClient.plain(port.port);
    garbage.send(Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]));
    await Promise.all([slow.closed(), silent.closed(), garbage.closed()]);
    // On a slow machine a good handshake may take longer than that too.
    while ((await port.attempt({ ca: authority.cert })).answer !== "secure nobody");
    port.close();
  });

  it("lets those in who mean it while others begin handshakes by the dozen", async () => {
    const port = await TlsPort.open(folder.settings(), { undecidedMax: 4 });
    const slow: RawClient[] = [];
    for (let i = 0; i < 12; i++) {
      const one = await RawClient.plain(port.port);
      one.send(Buffer.from([0x16, 3, 1, 0, 200, 1]));
      slow.push(one);
    }
    await Promise.all(slow.slice(0, 8).map((one) => one.closed()));
    assert.equal((await port.attempt({ ca: authority.cert })).answer, "secure nobody");
    port.close();
    await Promise.all(slow.map((one) => one.closed()));
  });

  it("leaves those alone that are in", async () => {
    const port = await TlsPort.open(folder.settings(), { undecidedMax: 2, hold: true });
    const inside = [];
    for (let i = 0; i < 6; i++) inside.push(await port.held({ ca: authority.cert }));
    const ended = inside.map(
      (socket) => new Promise<string>((resolve) => socket.once("close", () => resolve("ended"))),
    );
    // Whoever were thrown out for this one would hear of it first.
    const another = port.held({ ca: authority.cert }).then((socket) => {
      inside.push(socket);
      return "another came in";
    });
    assert.equal(await Promise.race([...ended, another]), "another came in");
    for (const socket of inside) socket.destroy();
    port.close();
  });
});
