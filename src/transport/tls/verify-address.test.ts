import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { before, describe, it } from "node:test";
import { TestAuthority } from "../testing/make-certificates.ts";
import { type Resolver, whyNotFrom } from "./verify-address.ts";

let authority: TestAuthority;

before(async () => {
  authority = await TestAuthority.make();
});

const nobody: Resolver = {
  reverse: () => Promise.reject(new Error("no such host")),
  lookup: () => Promise.reject(new Error("no such host")),
};

async function certificate(spec: { dns?: string[]; ips?: string[] }): Promise<X509Certificate> {
  return new X509Certificate((await authority.issue({ commonName: "m", ...spec })).cert);
}

describe("the address of a member that connects", () => {
  it("does not matter if the certificate names none", async () => {
    assert.equal(await whyNotFrom("10.0.0.1", await certificate({}), nobody), undefined);
  });

  it("is one of the certificate's", async () => {
    const shown = await certificate({ ips: ["10.0.0.1", "::1"] });
    assert.equal(await whyNotFrom("10.0.0.1", shown, nobody), undefined);
    assert.equal(await whyNotFrom("::1", shown, nobody), undefined);
    assert.match(
      (await whyNotFrom("10.0.0.2", shown, nobody)) ?? "",
      /^x509: certificate is valid for 10\.0\.0\.1, .*, not 10\.0\.0\.2$/,
    );
  });

  it("leads to one of the certificate's names", async () => {
    const shown = await certificate({ dns: ["m1.example", "*.other.example"], ips: ["10.0.0.9"] });
    const asked = (names: string[]): Resolver => ({ ...nobody, reverse: async () => names });
    assert.equal(await whyNotFrom("10.0.0.1", shown, asked(["m1.example."])), undefined);
    assert.equal(await whyNotFrom("10.0.0.1", shown, asked(["a.other.example"])), undefined);
    assert.equal(
      await whyNotFrom("10.0.0.1", await certificate({ dns: ["m1.example"] }), asked(["m2.example"])),
      'tls: "10.0.0.1" does not match any of DNSNames ["m1.example"] (lookup m1.example: no such host)',
    );
  });

  it("is one that the certificate's names lead to", async () => {
    const shown = await certificate({ dns: ["m1.example", "m2.example"] });
    const resolver = (address: string): Resolver => ({
      reverse: async () => [],
      lookup: async (name) => (name === "m2.example" ? [address] : ["10.9.9.9"]),
    });
    assert.equal(await whyNotFrom("10.0.0.1", shown, resolver("10.0.0.1")), undefined);
    assert.equal(
      await whyNotFrom("10.0.0.1", shown, resolver("10.0.0.2")),
      'tls: "10.0.0.1" does not match any of DNSNames ["m1.example" "m2.example"]',
    );
  });
});
