/** What a port, or a member's calls to others, is to do with TLS. */
export interface TlsSettings {
  /** "client" or "peer": whose endpoint it is, for the log. */
  readonly side: "client" | "peer";
  readonly certFile: string;
  readonly keyFile: string;
  /** Shown when this server connects to others; empty: the two above. */
  readonly clientCertFile: string;
  readonly clientKeyFile: string;
  /** Who may have signed what others show; empty: the authorities of the runtime. */
  readonly trustedCaFile: string;
  /** Ask for a certificate, as a file of authorities does too; and take its common name for a user's. */
  readonly clientCertAuth: boolean;
  /** Serial numbers in this list, DER or PEM, are refused; empty: none. */
  readonly crlFile: string;
  /** One of these must be the certificate's; empty: any. Not both. */
  readonly allowedCommonNames: readonly string[];
  readonly allowedHostnames: readonly string[];
  /** Compare the names in a client's certificate with its address. */
  readonly verifyClientAddress: boolean;
  /** The certificate was made by a server for itself, and so are those of others: they are not verified. */
  readonly selfSigned: boolean;
  /** The name to look for in other servers' certificates instead of the one that was dialled; empty: none. */
  readonly serverName: string;
  /** OpenSSL's names, for TLS 1.2; empty: the runtime's choice. */
  readonly cipherSuites: readonly string[];
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  readonly maxVersion: "TLSv1.2" | "TLSv1.3" | undefined;
}

/** The settings that every flag starts from: no certificates. */
export function withoutTls(side: TlsSettings["side"]): TlsSettings {
  return {
    side,
    certFile: "",
    keyFile: "",
    clientCertFile: "",
    clientKeyFile: "",
    trustedCaFile: "",
    clientCertAuth: false,
    crlFile: "",
    allowedCommonNames: [],
    allowedHostnames: [],
    verifyClientAddress: false,
    selfSigned: false,
    serverName: "",
    cipherSuites: [],
    minVersion: "TLSv1.2",
    maxVersion: undefined,
  };
}

/** Whether a port asks for certificates. */
export const asksForCertificates = ({ trustedCaFile, clientCertAuth }: TlsSettings): boolean =>
  trustedCaFile !== "" || clientCertAuth;

/** The files, each once. */
export function filesOf(settings: TlsSettings): string[] {
  const { certFile, keyFile, clientCertFile, clientKeyFile, trustedCaFile, crlFile } = settings;
  const named = [certFile, keyFile, clientCertFile, clientKeyFile, trustedCaFile, crlFile];
  return [...new Set(named.filter((path) => path !== ""))];
}
