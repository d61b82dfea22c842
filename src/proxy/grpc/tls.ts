/** TLS on both sides of the proxy: for its clients, and to the servers. */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import { cipherSuites } from "../../config/cipher-suites.ts";
import type { FlagValues } from "../../lib/command-line/flags.ts";
import type { Logger } from "../../lib/logger.ts";
import { selfSigned } from "../../transport/tls/self-signed.ts";
import { TlsIdentity } from "../../transport/tls/tls-identity.ts";
import { type TlsSettings, withoutTls } from "../../transport/tls/tls-settings.ts";

const versions = { "TLS1.2": "TLSv1.2", "TLS1.3": "TLSv1.3" } as const;

/** For the proxy's own port; undefined for one without TLS. Rejects with what is wrong with the files. */
export async function listenTls(flags: FlagValues, logger: Logger): Promise<TlsIdentity | undefined> {
  let certFile = flags.string("cert-file");
  let keyFile = flags.string("key-file");
  const trustedCaFile = flags.string("trusted-ca-file");
  const isGiven = certFile !== "" || keyFile !== "" || trustedCaFile !== "";
  if (!isGiven && !flags.bool("auto-tls")) return undefined;
  if (!isGiven) {
    const made = await selfSigned({
      dir: join(flags.string("data-dir"), "fixtures", "proxy"),
      hosts: [hostOf(flags.string("listen-addr"))],
      validityYears: Number(flags.uint("self-signed-cert-validity")),
      logger,
      nowMs: Date.now(),
    });
    ({ certFile, keyFile } = made);
  }
  const settings: TlsSettings = {
    ...withoutTls("client"),
    certFile,
    keyFile,
    trustedCaFile,
    crlFile: flags.string("client-crl-file"),
    selfSigned: !isGiven,
    cipherSuites: flags.strings("listen-cipher-suites").map(suiteOf),
    minVersion: versions[flags.string("tls-min-version") as keyof typeof versions] ?? "TLSv1.2",
    maxVersion: versions[flags.string("tls-max-version") as keyof typeof versions],
  };
  const identity = await TlsIdentity.open(settings, logger);
  logger.info("gRPC proxy server TLS", {
    "tls-info": `cert = ${certFile}, key = ${keyFile}, trusted-ca = ${trustedCaFile}, crl-file = ${settings.crlFile}`,
  });
  return identity;
}

function suiteOf(name: string): string {
  const suite = Object.hasOwn(cipherSuites, name) ? cipherSuites[name] : undefined;
  if (suite === undefined) throw new Error(`unexpected TLS cipher suite ${JSON.stringify(name)}`);
  return suite;
}

export const hostOf = (address: string): string => address.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");

/** For connections to the servers; undefined for those without TLS. Rejects with what is wrong with the files. */
export async function dialTls(flags: FlagValues, logger: Logger): Promise<ConnectionOptions | undefined> {
  const [cert, key, cacert] = ["cert", "key", "cacert"].map((name) => flags.string(name)) as [
    string,
    string,
    string,
  ];
  const skipsVerify = flags.bool("insecure-skip-tls-verify");
  if (cert === "" && key === "" && cacert === "" && !skipsVerify) return undefined;
  if ((cert === "") !== (key === "")) {
    throw new Error(`KeyFile and CertFile must both be present[key: ${key}, cert: ${cert}]`);
  }
  const options: ConnectionOptions = { minVersion: "TLSv1.2", rejectUnauthorized: !skipsVerify };
  if (cert !== "") {
    options.cert = await readFile(cert);
    options.key = await readFile(key);
    refuseName(options.cert, cert);
  }
  if (cacert !== "") options.ca = await readFile(cacert);
  if (skipsVerify) {
    logger.warn(
      "--insecure-skip-tls-verify was given, this grpc proxy process skips authentication of etcd server TLS certificates. This option should be enabled only for testing purposes.",
    );
  }
  logger.info("gRPC proxy client TLS", {
    "tls-info": `cert = ${cert}, key = ${key}, trusted-ca = ${cacert}`,
  });
  return options;
}

/** With a name in it a server may take every client of the proxy for the user of that name. */
function refuseName(pem: Buffer, path: string): void {
  const name = /^CN=(.+)$/m.exec(new X509Certificate(pem).subject)?.[1];
  if (name !== undefined) throw new Error(`cert has non empty Common Name (${name}): ${path}`);
}
