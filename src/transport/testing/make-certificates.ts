/** Makes authorities, certificates and revocation lists for tests, each with a key of its own. */
import { webcrypto } from "node:crypto";
import type { ExtendedKeyUsageExtension } from "@peculiar/x509";
import { loadX509 } from "../tls/load-x509.ts";

const x509 = await loadX509();

const signing = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMs = 86_400_000;

export interface Issued {
  readonly cert: string;
  readonly key: string;
  readonly serialNumber: string;
}

export interface CertificateSpec {
  readonly commonName?: string;
  readonly organization?: string;
  /** DNS names and addresses it is for. */
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  /** What it may be used for; both if not said. */
  readonly usage?: "client" | "server" | "both";
  /** Days from now; -1 and 365 if not said. */
  readonly fromDays?: number;
  readonly untilDays?: number;
  /** Of the key; P-256 if not said. */
  readonly curve?: "P-256" | "P-521";
}

let serials = 0;

function nextSerial(): string {
  serials++;
  return (0x40000000 + serials).toString(16);
}

function nameOf({ commonName, organization }: CertificateSpec): string {
  const parts = [
    ...(organization === undefined ? [] : [`O=${organization}`]),
    ...(commonName === undefined ? [] : [`CN=${commonName}`]),
  ];
  return parts.join(",");
}

function timesOf({ fromDays = -1, untilDays = 365 }: CertificateSpec) {
  return {
    notBefore: new Date(Date.now() + fromDays * dayMs),
    notAfter: new Date(Date.now() + untilDays * dayMs),
  };
}

function usages(usage: CertificateSpec["usage"] = "both"): ExtendedKeyUsageExtension {
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const both = [serverAuth, clientAuth];
  return new x509.ExtendedKeyUsageExtension(
    usage === "both" ? both : usage === "server" ? [serverAuth] : [clientAuth],
  );
}

async function pemOfKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

/** Who signs. */
export class TestAuthority {
  readonly cert: string;
  readonly #name: string;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(cert: string, name: string, keys: webcrypto.CryptoKeyPair) {
    this.cert = cert;
    this.#name = name;
    this.#keys = keys;
  }

  static async make(commonName = "test authority"): Promise<TestAuthority> {
    const keys = await webcrypto.subtle.generateKey(signing, true, ["sign", "verify"]);
    const name = `CN=${commonName}`;
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: nextSerial(),
      name,
      ...timesOf({}),
      signingAlgorithm: signing,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new TestAuthority(certificate.toString("pem"), name, keys);
  }

  async issue(spec: CertificateSpec): Promise<Issued> {
    const namedCurve = spec.curve ?? signing.namedCurve;
    const keys = await webcrypto.subtle.generateKey({ ...signing, namedCurve }, true, ["sign", "verify"]);
    const names = [
      ...(spec.dns ?? []).map((value) => ({ type: "dns" as const, value })),
      ...(spec.ips ?? []).map((value) => ({ type: "ip" as const, value })),
    ];
    const serialNumber = nextSerial();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber,
      subject: nameOf(spec),
      issuer: this.#name,
      ...timesOf(spec),
      signingAlgorithm: signing,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        usages(spec.usage),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
        await x509.AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
      ],
    });
    return { cert: certificate.toString("pem"), key: await pemOfKey(keys.privateKey), serialNumber };
  }

  /** A list of revoked certificates, in DER. */
  async revoke(serialNumbers: readonly string[]): Promise<Uint8Array> {
    const crl = await x509.X509CrlGenerator.create({
      issuer: this.#name,
      thisUpdate: new Date(Date.now() - dayMs),
      nextUpdate: new Date(Date.now() + 365 * dayMs),
      entries: serialNumbers.map((serialNumber) => ({ serialNumber, revocationDate: new Date() })),
      signingAlgorithm: signing,
      signingKey: this.#keys.privateKey,
    });
    return new Uint8Array(crl.rawData);
  }
}
