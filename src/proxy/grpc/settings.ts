/** The flags of `etcd grpc-proxy start`, and what they say. */
import type { Flag, FlagValues } from "../../lib/command-line/flags.ts";
import { goQuote } from "../../lib/go-quote.ts";

const text = (name: string, value: string, usage: string): Flag => ({
  name,
  kind: "string",
  default: value,
  usage,
});
const bool = (name: string, usage: string): Flag => ({ name, kind: "bool", default: false, usage });
const int = (name: string, value: number, usage: string): Flag => ({
  name,
  kind: "int",
  default: BigInt(value),
  usage,
});
const duration = (name: string, ms: number, usage: string): Flag => ({
  name,
  kind: "duration",
  default: ms,
  usage,
});

const maxInt32 = 2 ** 31 - 1;
const maxUint32 = 2 ** 32 - 1;

export const proxyFlags: readonly Flag[] = [
  text("listen-addr", "127.0.0.1:23790", "listen address"),
  text("discovery-srv", "", "domain name to query for SRV records describing cluster endpoints"),
  text("discovery-srv-name", "", "service name to query when using DNS discovery"),
  text("metrics-addr", "", "listen for endpoint /metrics requests on an additional interface"),
  bool("insecure-discovery", "accept insecure SRV records"),
  {
    name: "endpoints",
    kind: "strings",
    default: ["127.0.0.1:2379"],
    usage: "comma separated etcd cluster endpoints",
  },
  duration("endpoints-auto-sync-interval", 0, "etcd endpoints auto sync interval (disabled by default)"),
  duration(
    "dial-keepalive-time",
    0,
    "keepalive time for client(grpc-proxy) connections (default 0, disable).",
  ),
  duration(
    "dial-keepalive-timeout",
    20_000,
    "keepalive timeout for client(grpc-proxy) connections (default 20s).",
  ),
  bool(
    "permit-without-stream",
    "Enable client(grpc-proxy) to send keepalive pings even with no active RPCs.",
  ),
  text(
    "advertise-client-url",
    "127.0.0.1:23790",
    "advertise address to register (must be reachable by client)",
  ),
  text(
    "resolver-prefix",
    "",
    "prefix to use for registering proxy (must be shared with other grpc-proxy members)",
  ),
  int("resolver-ttl", 0, "specify TTL, in seconds, when registering proxy endpoints"),
  text("namespace", "", "string to prefix to all keys for namespacing requests"),
  bool(
    "enable-pprof",
    'Enable runtime profiling data via HTTP server. Address is at client URL + "/debug/pprof/"',
  ),
  text("data-dir", "default.proxy", "Data directory for persistent data"),
  int("max-send-bytes", 1.5 * 1024 * 1024, "message send limits in bytes (default value is 1.5 MiB)"),
  int("max-recv-bytes", maxInt32, "message receive limits in bytes (default value is math.MaxInt32)"),
  duration(
    "grpc-keepalive-min-time",
    5_000,
    "Minimum interval duration that a client should wait before pinging proxy.",
  ),
  duration(
    "grpc-keepalive-interval",
    7_200_000,
    "Frequency duration of server-to-client ping to check if a connection is alive (0 to disable).",
  ),
  duration(
    "grpc-keepalive-timeout",
    20_000,
    "Additional duration of wait before closing a non-responsive connection (0 to disable).",
  ),
  text("cert", "", "identify secure connections with etcd servers using this TLS certificate file"),
  text("key", "", "identify secure connections with etcd servers using this TLS key file"),
  text("cacert", "", "verify certificates of TLS-enabled secure etcd servers using this CA bundle"),
  bool(
    "insecure-skip-tls-verify",
    "skip authentication of etcd server TLS certificates (CAUTION: this option should be enabled only for testing purposes)",
  ),
  text("cert-file", "", "identify secure connections to the proxy using this TLS certificate file"),
  text("key-file", "", "identify secure connections to the proxy using this TLS key file"),
  text("trusted-ca-file", "", "verify certificates of TLS-enabled secure proxy using this CA bundle"),
  {
    name: "listen-cipher-suites",
    kind: "strings",
    default: [],
    usage:
      "Comma-separated list of supported TLS cipher suites between client/proxy (empty will be auto-populated).",
  },
  bool("auto-tls", "proxy TLS using generated certificates"),
  text("client-crl-file", "", "proxy client certificate revocation list file."),
  {
    name: "self-signed-cert-validity",
    kind: "uint",
    default: 1n,
    usage: "The validity period of the proxy certificates, unit is year",
  },
  text(
    "tls-min-version",
    "TLS1.2",
    "Minimum TLS version supported by grpc proxy. Possible values: TLS1.2, TLS1.3.",
  ),
  text(
    "tls-max-version",
    "",
    "Maximum TLS version supported by grpc proxy. Possible values: TLS1.2, TLS1.3 (empty: the newest).",
  ),
  bool(
    "experimental-serializable-ordering",
    "Ensure serializable reads have monotonically increasing store revisions across endpoints. (Not in this version.)",
  ),
  text(
    "experimental-leasing-prefix",
    "",
    "leasing metadata prefix for disconnected linearized reads. (Not in this version.)",
  ),
  bool("experimental-enable-grpc-logging", "logging all grpc requests and responses"),
  bool("debug", "Enable debug-level logging for grpc-proxy."),
  {
    name: "max-concurrent-streams",
    kind: "uint",
    default: BigInt(maxUint32),
    usage: "Maximum concurrent streams that each client can open at a time.",
  },
];

/** What is wrong with the flags, in etcd's words; undefined if nothing is. */
export function problemOf(flags: FlagValues): string | undefined {
  const prefix = flags.string("resolver-prefix");
  const ttl = flags.int("resolver-ttl");
  if (prefix !== "" && ttl < 1n) return `invalid resolver-ttl ${ttl}`;
  if (prefix === "" && ttl > 0n) return `invalid resolver-prefix ${goQuote(prefix)}`;
  if (prefix !== "" && flags.string("advertise-client-url") === "") return 'invalid advertise-client-url ""';
  if (flags.bool("auto-tls") && flags.uint("self-signed-cert-validity") === 0n) {
    return "selfSignedCertValidity is invalid,it should be greater than 0";
  }
  const [min, max] = [flags.string("tls-min-version"), flags.string("tls-max-version")];
  const known = ["", "TLS1.2", "TLS1.3"];
  if (!known.includes(min)) return `tls-min-version is invalid: unexpected TLS version ${goQuote(min)}`;
  if (!known.includes(max)) return `tls-max-version is invalid: unexpected TLS version ${goQuote(max)}`;
  if (max !== "" && min > max) return `min version (${min}) is greater than max version (${max})`;
  if (min === "TLS1.3" && flags.strings("listen-cipher-suites").length > 0) {
    return "cipher suites cannot be configured when only TLS1.3 is enabled";
  }
  if (flags.bool("experimental-serializable-ordering")) {
    return "--experimental-serializable-ordering is not in this version";
  }
  if (flags.string("experimental-leasing-prefix") !== "") {
    return "--experimental-leasing-prefix is not in this version";
  }
  return undefined;
}
