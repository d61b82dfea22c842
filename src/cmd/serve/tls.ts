/** What the configuration says of TLS, for the clients' ports and for the members'. */
import { join } from "node:path";
import { cipherSuites } from "../../config/cipher-suites.ts";
import { type Config, ConfigError } from "../../config/config.ts";
import type { EtcdUrl } from "../../lib/etcd-url.ts";
import type { Logger } from "../../lib/logger.ts";
import { checkRuntime } from "../../transport/tls/check-runtime.ts";
import { selfSigned } from "../../transport/tls/self-signed.ts";
import { TlsIdentity } from "../../transport/tls/tls-identity.ts";
import { type TlsSettings, withoutTls } from "../../transport/tls/tls-settings.ts";

export interface ServerTls {
  /** Undefined: there are neither certificates nor a wish for them. */
  readonly client: TlsIdentity | undefined;
  readonly peer: TlsIdentity | undefined;
}

/** Makes certificates in `fixturesDir` if it is to. Rejects with what is wrong with those there are. */
export async function openTls(config: Config, logger: Logger, fixturesDir: string): Promise<ServerTls> {
  const peer = await peerTls(config, logger, join(fixturesDir, "peer"));
  return { client: await clientTls(config, logger, join(fixturesDir, "client")), peer };
}

async function clientTls(config: Config, logger: Logger, dir: string): Promise<TlsIdentity | undefined> {
  const urls = [...config.listenClientUrls, ...config.listenClientHttpUrls];
  const settings = await withAutoTls(clientSettings(config), {
    wanted: config.autoTls,
    urls,
    dir,
    validityYears: config.selfSignedCertValidityYears,
    logger,
  });
  warnOfPlain(urls, settings, logger);
  const needy = urls.find(isSecure);
  const isNeeded = needy !== undefined || config.listenMetricsUrls.some(isSecure);
  if (settings.certFile !== "" || settings.keyFile !== "") {
    // As in etcd, certificates that nobody is served with need not even be there.
    return isNeeded ? open(settings, logger) : undefined;
  }
  if (needy !== undefined) {
    throw new ConfigError(
      `TLS key/cert (--cert-file, --key-file) must be provided for client url ${needy.href} with HTTPS scheme`,
    );
  }
  if (isNeeded) {
    throw new ConfigError(
      "client TLS key/cert (--cert-file, --key-file) must be provided for metrics secure url",
    );
  }
  return undefined;
}

/** For the members' port and for calls to other members. */
async function peerTls(config: Config, logger: Logger, dir: string): Promise<TlsIdentity | undefined> {
  const urls = config.listenPeerUrls;
  const settings = await withAutoTls(peerSettings(config), {
    wanted: config.peerAutoTls,
    urls,
    dir,
    validityYears: config.selfSignedCertValidityYears,
    logger,
  });
  warnOfPlain(urls, settings, logger);
  if (settings.certFile !== "" || settings.keyFile !== "") return open(settings, logger);
  const needy = urls.find(isSecure);
  if (needy === undefined) return undefined;
  throw new ConfigError(`cannot listen on TLS for ${needy.href}: KeyFile and CertFile are not presented`);
}

const isSecure = ({ scheme }: EtcdUrl): boolean => scheme === "https" || scheme === "unixs";

async function open(settings: TlsSettings, logger: Logger): Promise<TlsIdentity> {
  const unknown = checkRuntime(settings);
  if (unknown.length > 0) {
    const fields = { "cipher-suites": unknown };
    logger
      .at("cmd/serve/tls.ts")
      .warn("going on without cipher suites that this runtime does not know", fields);
  }
  const identity = await TlsIdentity.open(settings, logger);
  const { side, certFile, keyFile, trustedCaFile, clientCertAuth, crlFile, cipherSuites: suites } = settings;
  logger.at("cmd/serve/tls.ts").info(`starting with ${side} TLS`, {
    "tls-info":
      `cert = ${certFile}, key = ${keyFile}, client-cert=${settings.clientCertFile}, ` +
      `client-key=${settings.clientKeyFile}, trusted-ca = ${trustedCaFile}, client-cert-auth = ${clientCertAuth}, ` +
      `crl-file = ${crlFile}`,
    "cipher-suites": suites,
  });
  return identity;
}

const versions = { "TLS1.2": "TLSv1.2", "TLS1.3": "TLSv1.3" } as const;

function common(config: Config) {
  return {
    selfSigned: false,
    serverName: "",
    cipherSuites: config.cipherSuites.map((suite) => cipherSuites[suite]!),
    minVersion: versions[config.tlsMinVersion as keyof typeof versions] ?? "TLSv1.2",
    maxVersion: versions[config.tlsMaxVersion as keyof typeof versions],
  };
}

function clientSettings(config: Config): TlsSettings {
  return {
    side: "client",
    certFile: config.certFile,
    keyFile: config.keyFile,
    clientCertFile: config.clientCertFile,
    clientKeyFile: config.clientKeyFile,
    trustedCaFile: config.trustedCaFile,
    clientCertAuth: config.clientCertAuth,
    crlFile: config.clientCrlFile,
    allowedCommonNames: [],
    allowedHostnames: config.clientCertAllowedHostname,
    verifyClientAddress: false,
    ...common(config),
  };
}

function peerSettings(config: Config): TlsSettings {
  const { peerCertAllowedCn, peerCertAllowedHostname } = config;
  // As in etcd, this is no fault where there is no TLS.
  const usesTls = config.peerAutoTls || config.peerCertFile !== "" || config.peerKeyFile !== "";
  if (usesTls && peerCertAllowedCn.length > 0 && peerCertAllowedHostname.length > 0) {
    const shown = (list: readonly string[]) => `[${list.map((text) => JSON.stringify(text)).join(" ")}]`;
    throw new ConfigError(
      `AllowedCNs and AllowedHostnames are mutually exclusive (cns=${shown(peerCertAllowedCn)}, ` +
        `hostnames=${shown(peerCertAllowedHostname)})`,
    );
  }
  return {
    side: "peer",
    certFile: config.peerCertFile,
    keyFile: config.peerKeyFile,
    clientCertFile: config.peerClientCertFile,
    clientKeyFile: config.peerClientKeyFile,
    trustedCaFile: config.peerTrustedCaFile,
    clientCertAuth: config.peerClientCertAuth,
    crlFile: config.peerCrlFile,
    allowedCommonNames: peerCertAllowedCn,
    allowedHostnames: peerCertAllowedHostname,
    verifyClientAddress: !config.peerSkipClientSanVerification,
    ...common(config),
    // Members that were found in DNS are trusted for the domain if no authority is named.
    serverName: config.peerTrustedCaFile === "" ? config.discoverySrv : "",
  };
}

interface AutoTls {
  readonly wanted: boolean;
  readonly urls: readonly EtcdUrl[];
  readonly dir: string;
  readonly validityYears: number;
  readonly logger: Logger;
}

/** With a certificate of its own making, if there is none and one is wanted. */
async function withAutoTls(settings: TlsSettings, auto: AutoTls): Promise<TlsSettings> {
  if (!auto.wanted) return settings;
  const { side } = settings;
  if (settings.certFile !== "" || settings.keyFile !== "") {
    auto.logger.at("cmd/serve/tls.ts").warn(`ignoring ${side} auto TLS since certs given`);
    return settings;
  }
  const { dir, validityYears, logger } = auto;
  const hosts = auto.urls.map(({ hostname }) => hostname);
  const made = await selfSigned({ dir, hosts, validityYears, logger, nowMs: Date.now() }).catch((cause) => {
    throw new ConfigError(`failed to get ${side} self-signed certs: ${(cause as Error).message}`);
  });
  // As in etcd, nothing else that was said of certificates counts then.
  const { cipherSuites: suites, minVersion, maxVersion } = settings;
  return {
    ...withoutTls(side),
    certFile: made.certFile,
    keyFile: made.keyFile,
    clientCertFile: made.certFile,
    clientKeyFile: made.keyFile,
    selfSigned: true,
    cipherSuites: suites,
    minVersion,
    maxVersion,
  };
}

/** Certificates without a use are somebody's mistake. */
function warnOfPlain(urls: readonly EtcdUrl[], settings: TlsSettings, logger: Logger): void {
  const { side, certFile, keyFile, clientCertAuth } = settings;
  const at = logger.at("cmd/serve/tls.ts");
  const flag = side === "client" ? "--client-cert-auth" : "--peer-client-cert-auth";
  const scheme = side === "client" ? "http or unix" : "HTTP";
  for (const url of urls.filter((listened) => !isSecure(listened))) {
    const fields = { [`${side}-url`]: url.href };
    if (certFile !== "" || keyFile !== "") {
      at.warn(
        `scheme is ${scheme} while key and cert files are present; ignoring key and cert files`,
        fields,
      );
    }
    if (clientCertAuth) {
      at.warn(`scheme is ${scheme} while ${flag} is enabled; ignoring client cert auth for this URL`, fields);
    }
  }
}
