/** Reads certificates, keys, authorities and revocation lists, and checks that they can be used. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type ConnectionOptions, createSecureContext, type TlsOptions } from "node:tls";
import { readRevokedSerials } from "./read-crl.ts";
import { asksForCertificates, type TlsSettings } from "./tls-settings.ts";

/** What was in the files at one moment. */
export interface TlsMaterial {
  /** For a port. */
  readonly server: TlsOptions;
  /** For calls to others. */
  readonly client: ConnectionOptions;
  /** Serial numbers that are refused. */
  readonly revoked: ReadonlySet<string> | undefined;
}

const goReasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "is a directory",
};

/** Rejects with what is wrong, in Go's words where Go has some. */
export async function loadMaterial(settings: TlsSettings): Promise<TlsMaterial> {
  const { certFile, keyFile, clientCertFile, clientKeyFile, trustedCaFile, crlFile } = settings;
  if (certFile === "" || keyFile === "") {
    throw new Error(`KeyFile and CertFile must both be present[key: ${keyFile}, cert: ${certFile}]`);
  }
  if ((clientCertFile === "") !== (clientKeyFile === "")) {
    throw new Error(
      `ClientKeyFile and ClientCertFile must both be present or both absent: key: ${clientKeyFile}, ` +
        `cert: ${clientCertFile}`,
    );
  }
  const own = await readPair(certFile, keyFile);
  const shown = clientCertFile === "" ? own : await readPair(clientCertFile, clientKeyFile);
  const ca = trustedCaFile === "" ? undefined : await readAuthorities(trustedCaFile);
  const revoked = crlFile === "" ? undefined : await readRevokedSerials(await read(crlFile));
  const common = { ...versionsAndCiphers(settings), ...(ca !== undefined && { ca }) };
  const server: TlsOptions = {
    ...common,
    ...own,
    requestCert: asksForCertificates(settings),
    rejectUnauthorized: asksForCertificates(settings),
  };
  const client: ConnectionOptions = {
    ...common,
    ...shown,
    rejectUnauthorized: !settings.selfSigned,
    ...(settings.serverName !== "" && { servername: settings.serverName }),
  };
  // Whatever the runtime has against it comes out here and not in a handshake.
  createSecureContext(server);
  createSecureContext({ ...common, ...shown });
  return { server, client, revoked };
}

/** Without P-521 Bun cannot speak TLS 1.2 with a certificate of etcd's own making. */
const curves = "bun" in process.versions ? { ecdhCurve: "X25519:P-256:P-384:P-521" } : {};

/** Suites of TLS 1.3 cannot be chosen in Go: they are there in any case. */
const suitesOfTls13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

function versionsAndCiphers({ minVersion, maxVersion, cipherSuites }: TlsSettings) {
  return {
    minVersion,
    ...curves,
    ...(maxVersion !== undefined && { maxVersion }),
    ...(cipherSuites.length > 0 && { ciphers: [suitesOfTls13, ...cipherSuites].join(":") }),
  };
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    throw new Error(`open ${path}: ${goReasons[code ?? ""] ?? message}`, { cause });
  }
}

async function readPair(certFile: string, keyFile: string): Promise<{ cert: string; key: string }> {
  const chain = certificatesIn((await read(certFile)).toString("utf8"), certFile);
  const keyPem = pemPrivateKey.exec((await read(keyFile)).toString("utf8"));
  const [leaf] = chain;
  if (leaf === undefined)
    throw new Error(`tls: failed to find any PEM data in certificate input (${certFile})`);
  if (keyPem === null) throw new Error(`tls: failed to find any PEM data in key input (${keyFile})`);
  let privateKey: ReturnType<typeof createPrivateKey>;
  try {
    privateKey = createPrivateKey(keyPem[0]);
  } catch (cause) {
    throw new Error(`tls: failed to parse private key (${keyFile})`, { cause });
  }
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new Error(`tls: private key does not match public key (${certFile}, ${keyFile})`);
  }
  // Only what is needed: files may hold both, and more.
  return { cert: chain.map(String).join("\n"), key: keyPem[0] };
}

/** etcd takes a file without certificates, and then lets nobody in. */
async function readAuthorities(path: string): Promise<string[]> {
  const found = certificatesIn((await read(path)).toString("utf8"), path);
  if (found.length === 0) throw new Error(`no certificates of authorities in ${path}`);
  return found.map((certificate) => certificate.toString());
}

const pemPrivateKey = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----[\s\S]*?-----END \1-----/;
const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function certificatesIn(pem: string, path: string): X509Certificate[] {
  return (pem.match(pemCertificate) ?? []).map((block) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new Error(`x509: malformed certificate (${path})`, { cause });
    }
  });
}
