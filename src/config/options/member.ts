/** The member itself: its name and folders, its clock, where it listens, and its limits. */
import {
  accepted,
  bool,
  deprecated,
  duration,
  gates,
  integer,
  type OptionTable,
  text,
  urls,
} from "../option.ts";

const bboltOnly = accepted("the store is not bbolt");

export const memberOptions = {
  name: text("name", {
    default: "default",
    help: "The member's name, for people and for --initial-cluster.",
  }),
  /** Never empty in a `Config`: without one it is the name with ".etcd" behind it. */
  dataDir: text("data-dir", {
    default: "",
    defaultText: "<name>.etcd",
    help: "The folder that holds everything the member must not lose.",
  }),
  /** Empty: inside `dataDir`. */
  walDir: text("wal-dir", {
    default: "",
    help: "Another folder for the Raft log, perhaps on a disk of its own.",
  }),
  snapshotCount: integer("snapshot-count", "uint64", {
    default: 10_000,
    help: "After so many applied entries the older part of the Raft log is let go.",
  }),
  heartbeatIntervalMs: integer("heartbeat-interval", "uint", {
    default: 100,
    help: "Milliseconds between a leader's heartbeats; Raft's tick.",
  }),
  electionTimeoutMs: integer("election-timeout", "uint", {
    default: 1000,
    help: "Milliseconds without a leader before a member stands for election. At least 5 heartbeats, at most 50000.",
  }),
  initialElectionTickAdvance: bool("initial-election-tick-advance", {
    default: true,
    help: "At a start, wait for one heartbeat or two and not for a whole election timeout before standing.",
  }),
  listenPeerUrls: urls("listen-peer-urls", {
    default: "http://localhost:2380",
    help: "Where to listen for other members.",
  }),
  listenClientUrls: urls("listen-client-urls", {
    default: "http://localhost:2379",
    help: "Where to listen for clients: gRPC and, unless --listen-client-http-urls is set, HTTP.",
  }),
  listenClientHttpUrls: urls("listen-client-http-urls", {
    default: "",
    help: "Where to listen for HTTP clients only. Takes HTTP away from --listen-client-urls.",
  }),
  maxSnapshots: integer("max-snapshots", "uint", {
    default: 5,
    help: "How many snapshot files to keep (0: all).",
    status: deprecated("--max-snapshots is deprecated in 3.6 and will be decommissioned in 3.8."),
  }),
  maxWals: integer("max-wals", "uint", {
    default: 5,
    help: "How many files of the Raft log to keep beyond those that are needed (0: all).",
  }),
  memoryMlock: bool("memory-mlock", {
    default: false,
    help: "Keep the process's memory from being swapped out.",
    status: accepted("data is not kept in memory as a whole"),
  }),
  /** Negative: no limit. */
  quotaBackendBytes: integer("quota-backend-bytes", "int64", {
    default: 2_147_483_648,
    defaultText: "0",
    zeroIsDefault: true,
    help: "The size the store may reach before writes are refused. 0: 2 GiB; negative: no limit.",
  }),
  backendBboltFreelistType: text("backend-bbolt-freelist-type", {
    default: "map",
    help: "How bbolt keeps its list of free pages (array or map).",
    status: bboltOnly,
  }),
  backendBatchIntervalMs: duration("backend-batch-interval", {
    default: 0,
    defaultText: "0s",
    help: "The longest time before bbolt's transaction is committed.",
    status: bboltOnly,
  }),
  backendBatchLimit: integer("backend-batch-limit", "int", {
    default: 0,
    help: "The most operations before bbolt's transaction is committed.",
    status: bboltOnly,
  }),
  maxTxnOps: integer("max-txn-ops", "uint", {
    default: 128,
    help: "The most operations in one transaction.",
  }),
  maxRequestBytes: integer("max-request-bytes", "uint", {
    default: 1_572_864,
    help: "The largest request of a client, in bytes.",
  }),
  maxConcurrentStreams: integer("max-concurrent-streams", "uint32", {
    default: 4_294_967_295,
    help: "The most streams (calls under way) on one connection.",
  }),
  grpcKeepaliveMinTimeMs: duration("grpc-keepalive-min-time", {
    default: 5_000,
    defaultText: "5s",
    help: "A client that pings more often than this is disconnected.",
  }),
  grpcKeepaliveIntervalMs: duration("grpc-keepalive-interval", {
    default: 7_200_000,
    defaultText: "2h0m0s",
    help: "A connection that was quiet for so long is pinged (0: never).",
  }),
  grpcKeepaliveTimeoutMs: duration("grpc-keepalive-timeout", {
    default: 20_000,
    defaultText: "20s",
    help: "A connection that leaves a ping unanswered for so long is closed (0: never).",
  }),
  socketReusePort: bool("socket-reuse-port", {
    default: false,
    yaml: "socket-options.reuse-port",
    help: "Listen with SO_REUSEPORT: another process may listen on the same port.",
  }),
  socketReuseAddress: bool("socket-reuse-address", {
    default: false,
    yaml: "socket-options.reuse-address",
    help: "Listen with SO_REUSEADDR: on addresses whose old connections are in TIME_WAIT.",
    status: accepted("listeners always have SO_REUSEADDR"),
  }),
  enableGrpcGateway: bool("enable-grpc-gateway", {
    default: true,
    help: "Serve the JSON gateway (POST /v3/kv/put and so on).",
  }),
  /** At least 5000. */
  raftReadTimeoutMs: duration("raft-read-timeout", {
    default: 5_000,
    defaultText: "5s",
    yamlIsOurs: true,
    help: "A peer connection that brings nothing for so long is closed. At least 5s.",
  }),
  /** At least 5000. */
  raftWriteTimeoutMs: duration("raft-write-timeout", {
    default: 5_000,
    defaultText: "5s",
    yamlIsOurs: true,
    help: "A peer connection that takes nothing for so long is closed. At least 5s.",
  }),
  enableConsole: bool("enable-console", {
    default: true,
    ours: true,
    help: "Serve the console, a page for browsers, at /console on the clients' HTTP.",
  }),
  featureGates: gates("feature-gates", {
    help: "Switches for unfinished features, as Name=true,Other=false. They are listed at the end.",
  }),
} satisfies OptionTable;
