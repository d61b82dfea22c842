/** How members find each other, and what they agree on. */
import {
  bool,
  choice,
  choices,
  deprecated,
  duration,
  type OptionTable,
  retention,
  set,
  text,
  urls,
} from "../option.ts";

const v2Stages = ["write-only", "write-only-skip-check", "write-only-drop-data", "gone"];

export const clusteringOptions = {
  initialAdvertisePeerUrls: urls("initial-advertise-peer-urls", {
    default: "http://localhost:2380",
    help: "Under which URLs the other members reach this one.",
  }),
  /** As given, or made of the name and the advertised URLs. `parseInitialCluster` reads it. */
  initialCluster: text("initial-cluster", {
    default: "default=http://localhost:2380",
    help: "The members of a new cluster, as name=URL,name=URL. A member that has data ignores it.",
  }),
  initialClusterState: choice("initial-cluster-state", ["new", "existing"], {
    default: "new",
    help: "'new' to begin a cluster, 'existing' to join one. A member that has data ignores it.",
  }),
  initialClusterToken: text("initial-cluster-token", {
    default: "etcd-cluster",
    help: "Clusters that begin with different tokens never mistake each other's members for their own.",
  }),
  advertiseClientUrls: urls("advertise-client-urls", {
    default: "http://localhost:2379",
    help: "Under which URLs clients reach this member. Needed when --listen-client-urls is set.",
  }),
  discoveryToken: text("discovery-token", {
    default: "",
    yaml: "discovery-config.token",
    help: "The new cluster's token at the discovery service.",
  }),
  discoveryEndpoints: set("discovery-endpoints", {
    default: "",
    yaml: "discovery-config.client.endpoints",
    help: "Addresses of the discovery service (another etcd cluster).",
  }),
  discoveryDialTimeoutMs: duration("discovery-dial-timeout", {
    default: 2_000,
    defaultText: "2s",
    yaml: "discovery-config.client.dial-timeout",
    help: "How long connecting to the discovery service may take.",
  }),
  discoveryRequestTimeoutMs: duration("discovery-request-timeout", {
    default: 5_000,
    defaultText: "5s",
    yaml: "discovery-config.client.request-timeout",
    help: "How long a call to the discovery service may take.",
  }),
  discoveryKeepaliveTimeMs: duration("discovery-keepalive-time", {
    default: 2_000,
    defaultText: "2s",
    yaml: "discovery-config.client.keepalive-time",
    help: "How often to ping the discovery service.",
  }),
  discoveryKeepaliveTimeoutMs: duration("discovery-keepalive-timeout", {
    default: 6_000,
    defaultText: "6s",
    yaml: "discovery-config.client.keepalive-timeout",
    help: "How long the discovery service may leave a ping unanswered.",
  }),
  discoveryInsecureTransport: bool("discovery-insecure-transport", {
    default: true,
    yaml: "discovery-config.client.secure.insecure-transport",
    help: "Talk to the discovery service without TLS.",
  }),
  discoveryInsecureSkipTlsVerify: bool("discovery-insecure-skip-tls-verify", {
    default: false,
    yaml: "discovery-config.client.secure.insecure-skip-tls-verify",
    help: "Believe any certificate of the discovery service. For tests only.",
  }),
  discoveryCert: text("discovery-cert", {
    default: "",
    yaml: "discovery-config.client.secure.cert",
    help: "The certificate to show to the discovery service.",
  }),
  discoveryKey: text("discovery-key", {
    default: "",
    yaml: "discovery-config.client.secure.key",
    help: "The key of that certificate.",
  }),
  discoveryCacert: text("discovery-cacert", {
    default: "",
    yaml: "discovery-config.client.secure.cacert",
    help: "Who may have signed the discovery service's certificate.",
  }),
  discoveryUser: text("discovery-user", {
    default: "",
    yaml: "discovery-config.client.auth.username",
    help: "The user at the discovery service, as name or name:password.",
    secret: true,
  }),
  discoveryPassword: text("discovery-password", {
    default: "",
    yaml: "discovery-config.client.auth.password",
    help: "That user's password, if it is not given with the name.",
    secret: true,
  }),
  discoveryFallback: choice("discovery-fallback", ["exit", "proxy"], {
    default: "exit",
    help: "What to do when discovery fails. Only 'exit' is left.",
    yaml: "none",
  }),
  discoverySrv: text("discovery-srv", {
    default: "",
    help: "The DNS domain whose SRV records name the members.",
  }),
  discoverySrvName: text("discovery-srv-name", {
    default: "",
    help: "A suffix of the service names asked for in DNS.",
  }),
  strictReconfigCheck: bool("strict-reconfig-check", {
    default: true,
    help: "Refuse a change of members that would lose the quorum.",
  }),
  preVote: bool("pre-vote", {
    default: true,
    help: "Ask whether an election could be won before holding it, so that a returning member does not disturb.",
  }),
  /** As given; `Config.autoCompaction` is what it means. */
  autoCompactionRetention: retention("auto-compaction-retention", {
    default: "0",
    help: "How much history to keep: a duration (a bare number means hours) or a number of revisions. 0: all of it.",
  }),
  autoCompactionMode: text("auto-compaction-mode", {
    default: "periodic",
    help: "What --auto-compaction-retention counts: 'periodic' time, or 'revision' revisions.",
  }),
  v2Deprecation: choices("v2-deprecation", v2Stages, {
    default: "write-only",
    help: "The stage of the v2 store's removal. Has no effect: there is no v2 store.",
    status: deprecated(
      "--v2-deprecation is deprecated and scheduled for removal in v3.8. The default value is enforced, ignoring user input.",
    ),
  }),
} satisfies OptionTable;
