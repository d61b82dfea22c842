/** What the services need of the server. */
import type { Caller } from "../auth/caller.ts";
import type { HeaderFields } from "../codec/header.ts";
import type { EtcdError } from "../errors/etcd-error.ts";
import type { AlarmMember } from "../gen/etcdserverpb/rpc_pb.ts";
import type { Lessor } from "../lease/lessor.ts";
import type { Timer } from "../lib/clock.ts";
import type { LeaseId, MemberId, RaftIndex, Term } from "../lib/ids.ts";
import type { Logger } from "../lib/logger.ts";
import type { Steps } from "../lib/steps.ts";
import type { Cluster } from "../membership/cluster.ts";
import type { Member } from "../membership/member.ts";
import type { KeyValueStore } from "../mvcc/types.ts";
import type { WatchHub } from "../mvcc/watch/watch-hub.ts";
import type { Authentication } from "../server/auth/authentication.ts";
import type { ReadTimes } from "../server/read-times.ts";
import type { RevisionAtTime } from "../server/revision-times.ts";
import type { Gate } from "../server/slices.ts";
import type { SlowTraces } from "../server/slow-traces.ts";
import type { DatabaseSnapshot, SnapshotReader } from "../server/snapshot/database-snapshot.ts";

/** Where the end of a proposal is told: an error, or what apply returned for it. */
export type ProposalDone<Result> = (error: EtcdError | undefined, result?: Result) => void;

/** How a request that goes through the log is handed in. */
export interface ProposalRequest {
  /** The field of InternalRaftRequest that holds it. */
  readonly field: number;
  /** The request's own bytes, as the client sent them. */
  readonly bytes: Uint8Array;
  /** What they decode to, so that the member that proposes need not decode them again. */
  readonly request: unknown;
  /** Who asks, with authentication. */
  readonly caller?: Caller | undefined;
}

/** What Raft says of this member now. */
export interface RaftStatus {
  readonly term: Term;
  readonly leader: MemberId;
  readonly commitIndex: RaftIndex;
  readonly appliedIndex: RaftIndex;
}

export interface ClusterSource {
  readonly store: KeyValueStore;
  readonly cluster: Cluster;
  raftStatus(): RaftStatus;
}

export interface RpcServer extends ClusterSource {
  /** Where reads that do not go through the log tell how long they took. */
  readonly readTimes: Pick<ReadTimes, "now" | "get" | "range" | "txn">;
  readonly slowTraces: Pick<SlowTraces, "compaction">;
  readonly auth: Authentication;
  /** The header of an answer made now: the newest revision, the current term. */
  header(): HeaderFields;
  /** The header of an answer at a given revision. */
  headerAt(revision: number): HeaderFields;
  /** Puts a request through the log and applies it. */
  propose<Result>(proposal: ProposalRequest, done: ProposalDone<Result>): void;
  /**
   * Calls `ready` once everything that was committed when this call was made is applied here; often at once.
   * `failed` gets etcd's errors (no leader, timeout).
   */
  linearizable(ready: () => void, failed: (error: EtcdError) => void): void;
  /** Runs a long read in slices; see server/slices.ts. */
  runSteps<T>(
    steps: Steps<T>,
    done: (value: T) => void,
    failed: (error: EtcdError) => void,
    isCancelled: () => boolean,
    gate?: Gate,
  ): void;
  /** Which revision was the newest at a time (milliseconds since 1970). Throws an EtcdError if that is not known. */
  revisionAt(timeMs: number): RevisionAtTime;
  /** Resolves when versions superseded at or before `revision` are gone from the backend, surely. */
  physicallyCompacted(revision: number): Promise<void>;
  /** `--max-txn-ops`. */
  readonly maxTxnOps: number;
}

/** What the maintenance service needs besides. */
export interface MaintenanceSource extends RpcServer {
  readonly versions: { readonly server: string; readonly storage: string };
  readonly quotaBackendBytes: number;
  backendSizes(): { totalBytes: number; inUseBytes: number };
  alarms(): readonly AlarmMember[];
  hashAll(): Steps<{ hash: number; revision: number }>;
  /** `revision` 0 is the newest. Throws ErrCompacted and ErrFutureRev. */
  hashKv(
    revision: number,
  ): Steps<{ hash: number; compactRevision: number; hashRevision: number; currentRevision: number }>;
  defragment(): Promise<void>;
  /** All of these reject with etcd's errors. `version` is as "3.6". */
  readonly downgrades: {
    validate(version: string): Promise<void>;
    enable(version: string): Promise<void>;
    cancel(): Promise<void>;
  };
  /** Rejects with etcd's errors. */
  openSnapshot(reader: SnapshotReader): Promise<DatabaseSnapshot>;
  monotonicMs(): number;
  readonly logger: Logger;
}

/** What the lease service needs besides. */
export interface LeaseSource extends RpcServer {
  readonly lessor: Lessor;
  readonly leases: {
    keepAlive(id: LeaseId, done: (error: EtcdError | undefined, ttlSeconds: number) => void): void;
  };
  /** What the leader knows of a lease. Rejects with ErrLeaseNotFound or another of etcd's errors. */
  leaseTimes(
    id: LeaseId,
    withKeys: boolean,
  ): Promise<{
    readonly grantedTtlSeconds: number;
    readonly remainingSeconds: number;
    readonly keys: readonly Uint8Array[];
  }>;
  /** A new id for a lease: positive, and hard to guess. */
  newLeaseId(): LeaseId;
  monotonicMs(): number;
}

/** What the watch service needs besides. */
export interface WatchService extends RpcServer {
  readonly watchHub: WatchHub;
  readonly hasLeader: boolean;
  /** `--max-request-bytes`: with what gRPC adds to it, what a fragment stays below. */
  readonly maxRequestBytes: number;
  /** `--watch-progress-notify-interval`. */
  readonly watchProgressIntervalMs: number;
  /** A number from 0 to 1. */
  jitter(): number;
  after(delayMs: number, callback: () => void): Timer;
}

/** What the services that change the cluster need besides. All of these reject with etcd's errors. */
export interface MembersService extends RpcServer {
  readonly isLeader: boolean;
  readonly members: {
    add(peerUrls: readonly string[], isLearner: boolean): Promise<{ member: Member; members: Member[] }>;
    remove(id: MemberId): Promise<Member[]>;
    update(id: MemberId, peerUrls: readonly string[]): Promise<Member[]>;
    promote(id: MemberId): Promise<Member[]>;
  };
  moveLeader(target: MemberId): Promise<void>;
}
