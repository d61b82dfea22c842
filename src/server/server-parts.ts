/** What a server is made of, what it is told, and what follows from that. */
import type { AuthState } from "../auth/auth-state.ts";
import type { Lessor } from "../lease/lessor.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Cluster } from "../membership/cluster.ts";
import type { Member, Sha1 } from "../membership/member.ts";
import type { MvccStore } from "../mvcc/store.ts";
import type { RawNode } from "../raft/raw-node.ts";
import type { Wal } from "../wal/wal.ts";
import type { Alarms } from "./alarms.ts";
import type { AuthenticationOptions } from "./auth/authentication.ts";
import type { CompactionPaceSettings } from "./compaction-runner.ts";
import type { CorruptionSettings } from "./corruption/corruption-checks.ts";
import type { Peers } from "./peers.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import type { StoreSlots } from "./snapshot/store-slots.ts";
import type { StoreWriterLimits } from "./store-writer.ts";

export interface EtcdServerSettings {
  readonly name: string;
  readonly advertiseClientUrls: readonly string[];
  readonly tickMs: number;
  readonly electionTicks: number;
  readonly snapshotCount: number;
  readonly keepWalSegments: number;
  readonly maxRequestBytes: number;
  readonly maxTxnOps: number;
  /** 0 is etcd's default, a negative number no quota. */
  readonly quotaBackendBytes: number;
  readonly storeLimits: StoreWriterLimits;
  /** `--watch-progress-notify-interval`. */
  readonly watchProgressIntervalMs: number;
  /** Log growth that makes a snapshot due before `snapshotCount` is reached. */
  readonly logBytesMax: number;
  /** Limit of the store's cache of hot values. */
  readonly cacheBytes: number;
  /** `--strict-reconfig-check`. */
  readonly strictReconfigCheck: boolean;
  /** `--initial-election-tick-advance`: a member that has found others does not wait a whole timeout for a leader. */
  readonly initialElectionTickAdvance: boolean;
  /** Undefined: the members' data is never compared. */
  readonly corruption?: CorruptionSettings | undefined;
  /** Undefined: compactions do not rest. */
  readonly compactionPace?: CompactionPaceSettings | undefined;
  /** `--downgrade-check-time`: how often the leader looks whether a downgrade is done; 0 is never. Default: 5 seconds. */
  readonly downgradeCheckMs?: number | undefined;
  /** The feature gate FastLeaseKeepAlive. False: a lease is renewed when all is applied that is committed. */
  readonly renewsAtOnce?: boolean | undefined;
  /** The feature gate PriorityRequest: leases can be revoked when there is too much to do for anything else. */
  readonly revokesFirst?: boolean | undefined;
  /** `--warning-apply-duration`: what takes longer to apply is logged. */
  readonly warningApplyDurationMs: number;
}

export interface EtcdServerParts {
  readonly settings: EtcdServerSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ServerMetrics;
  readonly node: RawNode;
  readonly wal: Wal;
  readonly stores: StoreSlots;
  /** Over the current one of `stores`. */
  readonly store: MvccStore;
  readonly lessor: Lessor;
  readonly alarms: Alarms;
  readonly auth: AuthState;
  readonly authentication: AuthenticationOptions;
  readonly cluster: Cluster;
  readonly peers: Peers;
  /** Members that this one was told of when it joined. */
  readonly remotes: readonly Member[];
  readonly sha1: Sha1;
  /** 64 random bits. */
  readonly random64: () => bigint;
  /** Something that the server cannot go on after. Called once. */
  readonly onFatal: (error: Error) => void;
  /** This member is no part of the cluster any more, and has to stop. Called once. */
  readonly onRemoved: () => void;
}

/** etcd's default quota: 2 GiB. */
const defaultQuotaBytes = 2 * 1024 ** 3;

/** The quota of the store in bytes; negative if there is none. */
export const quotaBytes = ({ quotaBackendBytes }: EtcdServerSettings): number =>
  quotaBackendBytes === 0 ? defaultQuotaBytes : quotaBackendBytes;

type Ticks = Pick<EtcdServerSettings, "tickMs" | "electionTicks">;

export const electionTimeoutMs = ({ tickMs, electionTicks }: Ticks): number => tickMs * electionTicks;

/** How long a request may take before it is given up, in milliseconds: as etcd's ReqTimeout. */
export const requestTimeoutMs = ({ tickMs, electionTicks }: Ticks): number =>
  5_000 + 2 * tickMs * electionTicks;
