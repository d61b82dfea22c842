/** The flags that every command of etcdctl takes. */
import type { Flag } from "../lib/command-line/flags.ts";

const text = (name: string, usage: string): Flag => ({ name, kind: "string", default: "", usage });
const duration = (name: string, ms: number, usage: string): Flag => ({
  name,
  kind: "duration",
  default: ms,
  usage,
});
const flag = (name: string, value: boolean, usage: string): Flag => ({
  name,
  kind: "bool",
  default: value,
  usage,
});
const bytes = (name: string, usage: string): Flag => ({ name, kind: "int", default: 0n, usage });

export const formats = ["fields", "json", "protobuf", "simple", "table"] as const;

const flags: readonly Flag[] = [
  {
    ...text(
      "auth-jwt-token",
      "JWT token used for authentication (if this option is used, --user and --password should not be set)",
    ),
  },
  text("cacert", "verify certificates of TLS-enabled secure servers using this CA bundle"),
  text("cert", "identify secure client using this TLS certificate file"),
  duration("command-timeout", 5000, "timeout for short running command (excluding dial timeout)"),
  flag("debug", false, "enable client-side debug logging"),
  duration("dial-timeout", 2000, "dial timeout for client connections"),
  {
    ...text("discovery-srv", "domain name to query for SRV records describing cluster endpoints"),
    short: "d",
  },
  text("discovery-srv-name", "service name to query when using DNS discovery"),
  { name: "endpoints", kind: "strings", default: ["127.0.0.1:2379"], usage: "gRPC endpoints" },
  flag("hex", false, "print byte strings as hex encoded strings"),
  flag("insecure-discovery", true, "accept insecure SRV records describing cluster endpoints"),
  flag(
    "insecure-skip-tls-verify",
    false,
    "skip server certificate verification (CAUTION: this option should be enabled only for testing purposes)",
  ),
  flag("insecure-transport", true, "disable transport security for client connections"),
  duration("keepalive-time", 2000, "keepalive time for client connections"),
  duration("keepalive-timeout", 6000, "keepalive timeout for client connections"),
  text("key", "identify secure client using this TLS key file"),
  bytes(
    "max-recv-bytes",
    'client-side response receive limit in bytes (if 0, it defaults to "math.MaxInt32")',
  ),
  bytes(
    "max-request-bytes",
    "client-side request send limit in bytes (if 0, it defaults to 2.0 MiB (2 * 1024 * 1024).)",
  ),
  text(
    "password",
    "password for authentication (if this option is used, --user option shouldn't include password)",
  ),
  text("user", "username[:password] for authentication (prompt if password is not supplied)"),
  {
    name: "write-out",
    short: "w",
    kind: "string",
    default: "simple",
    choices: formats,
    usage: "set the output format (fields, json, protobuf, simple, table)",
  },
];

/** Ours alone: read before all others, and not shown among etcdctl's. */
export const contextFlag: Flag = {
  name: "context",
  kind: "string",
  default: "",
  isHidden: true,
  usage: "name of the context in the configuration file to take settings from",
};

/** Every one hidden: `etcdctl options` shows them. */
export const globalFlags: readonly Flag[] = [...flags, contextFlag].map((one) => ({
  ...one,
  isHidden: true,
}));

/** As `etcdctl options` shows them. */
export const shownFlags: readonly Flag[] = flags;
