/** Certificates that a server makes for itself (`--auto-tls`, `--peer-auto-tls`), kept and used again. */
import { randomBytes, webcrypto } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import type { Logger } from "../../lib/logger.ts";
import { exists } from "../../runtime/exists.ts";
import { loadX509 } from "./load-x509.ts";

export interface SelfSignedOptions {
  /** Where `cert.pem` and `key.pem` are or will be. */
  readonly dir: string;
  /** Names and addresses it is for. */
  readonly hosts: readonly string[];
  readonly validityYears: number;
  readonly logger: Logger;
  readonly nowMs: number;
}

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * P-256, where etcd takes P-521: browsers and whatever else is built on BoringSSL do not take P-521 from a server that
 * speaks TLS 1.2, and the signature of a handshake takes 0.02 ms of the event loop (measured on Bun), not 4.4 ms.
 */
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const yearMs = 365 * 86_400_000;
/** X.509 writes years with four digits. */
const lastMs = Date.UTC(9999, 11, 31, 23, 59, 59);

/** Rejects with etcd's words, or the system's. */
export async function selfSigned(options: SelfSignedOptions): Promise<CertificateFiles> {
  const { dir, hosts, validityYears, nowMs } = options;
  const logger = options.logger.at("transport/tls/self-signed.ts");
  if (validityYears === 0) {
    const error = "selfSignedCertValidity is invalid,it should be greater than 0";
    logger.warn("cannot generate cert", { error });
    throw new Error(error);
  }
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const certFile = resolve(join(dir, "cert.pem"));
  const keyFile = resolve(join(dir, "key.pem"));
  if ((await exists(certFile)) && (await exists(keyFile))) return { certFile, keyFile };
  const until = new Date(Math.min(nowMs + validityYears * yearMs, lastMs));
  logger.warn("automatically generate certificates", {
    "certificate-validity-bound-not-after": until.toISOString(),
  });
  const { cert, key } = await generate(hosts, new Date(nowMs), until);
  // The key comes first: with both there they are taken for a pair at the next start.
  await writeFile(keyFile, key, { mode: 0o600 });
  logger.info("created key file", { path: keyFile });
  await writeFile(certFile, cert, { mode: 0o644 });
  logger.info("created cert file", { path: certFile });
  return { certFile, keyFile };
}

async function generate(hosts: readonly string[], notBefore: Date, notAfter: Date) {
  const x509 = await loadX509();
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const { digitalSignature, keyEncipherment, cRLSign } = x509.KeyUsageFlags;
  const names = [...new Set(hosts)]
    .filter((host) => host !== "")
    .map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value }));
  const serialNumber = randomBytes(16);
  // A number, and a positive one.
  serialNumber[0]! = (serialNumber[0]! & 0x7f) | 0x40;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber.toString("hex"),
    name: "O=etcd",
    notBefore,
    notAfter,
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.KeyUsagesExtension(digitalSignature | keyEncipherment | cRLSign, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.BasicConstraintsExtension(true, undefined, true),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    cert: `${certificate.toString("pem")}\n`,
    key: `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`,
  };
}
