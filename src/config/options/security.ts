/** TLS on the client's and on the peers' side, and who may come in over HTTP. */
import { bool, integer, list, type OptionTable, origins, set, text } from "../option.ts";

/** `client-transport-security.cert-file` and so on. */
const client = (key: string): string => `client-transport-security.${key}`;
const peer = (key: string): string => `peer-transport-security.${key}`;

export const securityOptions = {
  certFile: text("cert-file", {
    default: "",
    yaml: client("cert-file"),
    help: "The server's certificate for clients.",
  }),
  keyFile: text("key-file", {
    default: "",
    yaml: client("key-file"),
    help: "The key of that certificate.",
  }),
  clientCertAuth: bool("client-cert-auth", {
    default: false,
    yaml: client("client-cert-auth"),
    help: "Let in only clients with a certificate signed by --trusted-ca-file.",
  }),
  clientCertFile: text("client-cert-file", {
    default: "",
    yaml: client("client-cert-file"),
    help: "The certificate the server shows when it is its own client (else --cert-file).",
  }),
  clientKeyFile: text("client-key-file", {
    default: "",
    yaml: client("client-key-file"),
    help: "The key of that certificate (else --key-file).",
  }),
  clientCrlFile: text("client-crl-file", {
    default: "",
    yaml: client("crl-file"),
    yamlIsOurs: true,
    help: "The list of revoked client certificates.",
  }),
  clientCertAllowedHostname: list("client-cert-allowed-hostname", {
    default: "",
    yaml: client("allowed-hostname"),
    help: "Let in only clients whose certificate is for one of these host names.",
  }),
  trustedCaFile: text("trusted-ca-file", {
    default: "",
    yaml: client("trusted-ca-file"),
    help: "Who may have signed clients' certificates.",
  }),
  autoTls: bool("auto-tls", {
    default: false,
    yaml: client("auto-tls"),
    help: "Serve clients with a certificate made at the start.",
  }),
  peerCertFile: text("peer-cert-file", {
    default: "",
    yaml: peer("cert-file"),
    help: "The member's certificate for other members.",
  }),
  peerKeyFile: text("peer-key-file", {
    default: "",
    yaml: peer("key-file"),
    help: "The key of that certificate.",
  }),
  peerClientCertAuth: bool("peer-client-cert-auth", {
    default: false,
    yaml: peer("client-cert-auth"),
    help: "Let in only members with a certificate signed by --peer-trusted-ca-file.",
  }),
  peerClientCertFile: text("peer-client-cert-file", {
    default: "",
    yaml: peer("client-cert-file"),
    help: "The certificate shown when connecting to other members (else --peer-cert-file).",
  }),
  peerClientKeyFile: text("peer-client-key-file", {
    default: "",
    yaml: peer("client-key-file"),
    help: "The key of that certificate (else --peer-key-file).",
  }),
  peerTrustedCaFile: text("peer-trusted-ca-file", {
    default: "",
    yaml: peer("trusted-ca-file"),
    help: "Who may have signed members' certificates.",
  }),
  peerCertAllowedCn: list("peer-cert-allowed-cn", {
    default: "",
    yaml: peer("allowed-cn"),
    help: "Let in only members whose certificate has one of these common names.",
  }),
  peerCertAllowedHostname: list("peer-cert-allowed-hostname", {
    default: "",
    yaml: peer("allowed-hostname"),
    help: "Let in only members whose certificate is for one of these host names.",
  }),
  peerAutoTls: bool("peer-auto-tls", {
    default: false,
    yaml: peer("auto-tls"),
    help: "Talk to members with a certificate made at the start.",
  }),
  peerCrlFile: text("peer-crl-file", {
    default: "",
    yaml: peer("crl-file"),
    yamlIsOurs: true,
    help: "The list of revoked members' certificates.",
  }),
  peerSkipClientSanVerification: bool("peer-skip-client-san-verification", {
    default: false,
    yaml: peer("skip-client-san-verification"),
    help: "Do not compare a connecting member's address with its certificate.",
  }),
  selfSignedCertValidityYears: integer("self-signed-cert-validity", "uint", {
    default: 1,
    zeroIsDefault: true,
    help: "For how many years certificates made at the start are good.",
  }),
  /** Go's names: `cipherSuites` in cipher-suites.ts gives those of OpenSSL. */
  cipherSuites: list("cipher-suites", {
    default: "",
    help: "The cipher suites of TLS 1.2, best first, by Go's names (empty: the runtime's choice).",
  }),
  /** "*" allows every origin. */
  cors: origins("cors", {
    default: "*",
    help: "Pages of which origins may call from a browser (*: all).",
  }),
  /** "*", or nothing, allows every host. */
  hostWhitelist: set("host-whitelist", {
    default: "*",
    help: "Under which host names HTTP without TLS answers (* or nothing: all).",
  }),
  /** "TLS1.2" or "TLS1.3"; empty: the runtime's choice. */
  tlsMinVersion: text("tls-min-version", {
    default: "TLS1.2",
    help: "The oldest version of TLS to accept: TLS1.2 or TLS1.3.",
  }),
  tlsMaxVersion: text("tls-max-version", {
    default: "",
    help: "The newest version of TLS to accept: TLS1.2 or TLS1.3 (empty: the newest there is).",
  }),
} satisfies OptionTable;
