/** What the transport needs of the server around it. */
import type { Clock } from "../../lib/clock.ts";
import type { ClusterId, LeaseId, MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Metrics } from "../../lib/metrics.ts";
import type { Message, Snapshot } from "../../lib/raft-message.ts";
import type { Member } from "../../membership/member.ts";
import type { TlsSource } from "./http1/dial.ts";
import type { PeerLimits } from "./limits.ts";

/** Raft, as far as messages go. None of these is called from within `PeerTransport.send`. None may throw. */
export interface PeerRaft {
  /**
   * Messages that came together, for this member, from members that are not removed. Those of one member come in the
   * order in which it sent them on a connection. To be stepped at once. Never a MsgSnap.
   */
  onMessages(messages: readonly Message[]): void;
  /** A MsgSnap whose file the sink has committed. Resolves when Raft has it; a rejection is told to the sender. */
  onSnapshot(message: Message): Promise<void>;
  /** Something for this member got lost. */
  onUnreachable(id: MemberId): void;
  /** How a snapshot for this member ended. Told once for every MsgSnap sent. */
  onSnapshotStatus(id: MemberId, ok: boolean): void;
  isRemoved(id: MemberId): boolean;
  /** Another member says that this one is removed from the cluster: it has to stop. Told once. */
  onLocalRemoved(): void;
}

/** Gives the state that goes with a MsgSnap, for servers that do not bring it themselves (`sendSnapshot`). */
export interface SnapshotSource {
  /**
   * The state as it is now, or as it was when it was last kept; at `message.snapshot`'s index or later. `signal` says
   * that nobody wants it any more. Rejects if there is none: the send counts as failed.
   */
  open(message: Message, signal: AbortSignal): Promise<OutgoingSnapshot>;
}

export interface OutgoingSnapshot {
  /** What the file holds: sent in the place of the message's own. */
  readonly snapshot: Snapshot;
  /** Bytes of all chunks, as far as known: for logs and metrics. */
  readonly sizeBytes: number;
  /** The state as a file of etcd's database. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Called once at the end, however it ended, also if no chunk was asked for. */
  close(): Promise<void>;
}

/** Keeps the state that comes with a MsgSnap. */
export interface SnapshotSink {
  open(message: Message): Promise<IncomingSnapshot>;
}

/** One snapshot that is coming in. After a rejection, or instead of `commit`, comes `abort`. */
export interface IncomingSnapshot {
  /** The next chunk is offered when this one is taken. The chunk may be kept. */
  write(chunk: Uint8Array): Promise<void>;
  /** All of it is there: checks it and puts it in its place. `onSnapshot` comes afterwards. A
   * crash may take it away: what is made of it has to be durable before Raft hears of it. */
  commit(): Promise<void>;
  abort(): Promise<void>;
}

export interface Versions {
  readonly etcdserver: string;
  /** "not_decided" until there is one. */
  readonly etcdcluster: string;
  /** "unknown" until there is one. */
  readonly storage: string;
}

/** Who is in the cluster, for members that ask. */
export interface MembersSource {
  /** In order of id. */
  members(): readonly Member[];
  versions(): Versions;
}

export type LeaseRefusal = "not found" | "not primary";

/** Leases, for members that pass on what only the leader can answer. */
export interface LeaseSource {
  /** Calls back once everything is applied that is committed now. */
  whenCaughtUp(callback: () => void): void;
  /** Gives the seconds that the lease has again. */
  renew(id: LeaseId): Promise<{ readonly ttlSeconds: number } | LeaseRefusal>;
  timeToLive(id: LeaseId, withKeys: boolean): Promise<LeaseTimeToLive | LeaseRefusal>;
}

export interface LeaseTimeToLive {
  readonly ttlSeconds: number;
  readonly grantedTtlSeconds: number;
  readonly keys: readonly Uint8Array[];
}

/** Hashes, for members that compare their data with this one's. */
export interface HashSource {
  /** 0 is the newest revision. Rejects with ErrCompacted and ErrFutureRev. */
  hashByRevision(revision: number): Promise<HashAnswer>;
}

export interface HashAnswer {
  readonly hash: number;
  readonly compactRevision: number;
  readonly hashRevision: number;
  /** The newest one there is. */
  readonly revision: number;
}

export interface PeerTransportOptions {
  readonly localId: MemberId;
  readonly clusterId: ClusterId;
  /** This member's `--initial-advertise-peer-urls`: how members that do not know it yet reach it. */
  readonly localUrls: readonly string[];
  readonly raft: PeerRaft;
  /** Without it a MsgSnap given to `send` counts as failed. */
  readonly snapshotSource?: SnapshotSource | undefined;
  readonly snapshotSink: SnapshotSink;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** etcd: a second and an election timeout. */
  readonly dialTimeoutMs: number;
  readonly tls?: TlsSource | undefined;
  /** To connect from; the system chooses without it. */
  readonly localAddress?: string | undefined;
  readonly limits?: Partial<PeerLimits>;
  /** Which etcd this member is to the others, and the oldest cluster it can be in. */
  readonly serverVersion?: string;
  readonly minClusterVersion?: string;
}
