/** One member, as the services above talk to it. What it is made of is tied together in server-core.ts. */

import { authBuckets } from "../auth/auth-state.ts";
import { type HeaderFields, headerPrefix } from "../codec/header.ts";
import { create, toBinary } from "../codec/messages.ts";
import { raftField } from "../codec/raft-internal.ts";
import { type AlarmMember, CompactionRequestSchema } from "../gen/tables/etcdserverpb/rpc.ts";
import { leaseBucket } from "../lease/lessor.ts";
import type { Timer } from "../lib/clock.ts";
import { formatGoDuration } from "../lib/go-duration.ts";
import { type LeaseId, type MemberId, noLease, noMember, type RaftIndex, type Term } from "../lib/ids.ts";
import type { Logger } from "../lib/logger.ts";
import type { Steps } from "../lib/steps.ts";
import { membershipBuckets } from "../membership/cluster.ts";
import { metaBucket } from "../membership/conf-state-row.ts";
import { alarmBucket } from "./alarms.ts";
import { CorruptionChecks } from "./corruption/corruption-checks.ts";
import { Downgrades } from "./members/downgrade.ts";
import type { LeaseTimes, PeerHash } from "./peers.ts";
import { ReadTimes } from "./read-times.ts";
import type { RevisionAtTime } from "./revision-times.ts";
import { ServerCore } from "./server-core.ts";
import { type EtcdServerParts, electionTimeoutMs, quotaBytes, requestTimeoutMs } from "./server-parts.ts";
import type { DatabaseSnapshot, SnapshotReader } from "./snapshot/database-snapshot.ts";
import { etcdVersion, storageVersionIn } from "./versions.ts";

export type { EtcdServerParts, EtcdServerSettings } from "./server-parts.ts";

/** What Hash covers beside the keys: as in etcd, all there is. */
const hashedBuckets = [
  leaseBucket,
  alarmBucket,
  membershipBuckets.members,
  membershipBuckets.removed,
  membershipBuckets.cluster,
  metaBucket,
  ...Object.values(authBuckets),
];

export class EtcdServer extends ServerCore {
  readonly downgrades: Downgrades;
  readonly readTimes: ReadTimes;
  readonly #headerPrefix: Uint8Array;
  readonly #corruption: CorruptionChecks;

  constructor(parts: EtcdServerParts) {
    super(parts);
    this.readTimes = new ReadTimes({
      turnClock: this.turnClock,
      metrics: this.metrics,
      logger: parts.logger.at("server/read-times.ts"),
      warnAfterMs: parts.settings.warningApplyDurationMs,
      slowTraces: this.slowTraces,
    });
    const { id, localId } = parts.cluster;
    this.#headerPrefix = headerPrefix({ clusterId: id, memberId: localId });
    const linearize = () => new Promise<void>((resolve, reject) => this.linearizable(resolve, reject));
    this.downgrades = new Downgrades({
      cluster: parts.cluster,
      logger: parts.logger.at("server/members/downgrade.ts"),
      linearize,
      propose: (request) =>
        new Promise((resolve, reject) => {
          this.propose<void>(request, (error) => (error ? reject(error) : resolve()));
        }),
    });
    this.#corruption = new CorruptionChecks({
      parts,
      isLeader: () => this.isLeader,
      hash: () => this.store.hashByRevision(0),
      run: (steps) => this.stepped(steps),
      compactionHashes: () => this.storage.current.hashes.newestFirst(),
      linearize,
      propose: (request) => this.propose(request, () => {}),
    });
  }

  override start(): Promise<void> {
    this.#corruption.start();
    return super.start();
  }

  override stop(): Promise<void> {
    this.#corruption.stop();
    return super.stop();
  }

  get versions(): { readonly server: string; readonly storage: string } {
    return { server: etcdVersion, storage: storageVersionIn(this.cluster.version) };
  }

  /** Compares this member's data with the others', before it serves anybody. Rejects with a BootstrapError. */
  checkInitialHash(): Promise<void> {
    return this.#corruption.initial();
  }

  header(): HeaderFields {
    return this.headerAt(this.store.revision);
  }

  headerAt(revision: number): HeaderFields {
    return { prefix: this.#headerPrefix, revision, raftTerm: this.parts.node.term };
  }

  raftStatus(): { term: Term; leader: MemberId; commitIndex: RaftIndex; appliedIndex: RaftIndex } {
    const { term, leader, commitIndex } = this.parts.node;
    return { term, leader, commitIndex, appliedIndex: this.appliedIndex };
  }

  get hasLeader(): boolean {
    return this.parts.node.leader !== noMember;
  }

  /** False while the log has been waiting for its disk for longer than a request may take: no write is answered then. */
  get logIsWritten(): boolean {
    return this.clusterParts.stalledLog.stalledMs(this.parts.clock.monotonicMs()) <= this.requestTimeoutMs;
  }

  /** Hands leadership to another member. Rejects with etcd's errors. */
  moveLeader(target: MemberId): Promise<void> {
    return this.clusterParts.transfer.moveTo(target, this.requestTimeoutMs);
  }

  alarms(): AlarmMember[] {
    return this.parts.alarms.list();
  }

  backendSizes(): { totalBytes: number; inUseBytes: number } {
    return this.storage.current.backend.sizes();
  }

  get walBytes(): number {
    return this.parts.wal.sizeBytes;
  }

  *hashAll(): Steps<{ hash: number; revision: number }> {
    const { revision } = this.store;
    const startMs = this.monotonicMs();
    const hash = yield* this.#corruption.watched(this.store.hash(hashedBuckets));
    this.metrics.hashSeconds.observe((this.monotonicMs() - startMs) / 1000);
    return { hash, revision };
  }

  *hashKv(
    revision: number,
  ): Steps<{ hash: number; compactRevision: number; hashRevision: number; currentRevision: number }> {
    const kept = this.storage.current.hashes.at(revision);
    if (kept) return { ...kept, currentRevision: this.store.revision };
    const startMs = this.monotonicMs();
    const answer = yield* this.#corruption.watched(this.store.hashByRevision(revision));
    this.metrics.hashRevisionSeconds.observe((this.monotonicMs() - startMs) / 1000);
    return { ...answer, currentRevision: answer.revision };
  }

  revisionAt(timeMs: number): RevisionAtTime {
    return this.storage.current.times.at(timeMs);
  }

  physicallyCompacted(revision: number): Promise<void> {
    return this.storage.current.compaction.done(revision);
  }

  /** Compacts through the log. Rejects with etcd's errors. */
  compact(revision: number): Promise<void> {
    const request = { revision, physical: false };
    const message = create(CompactionRequestSchema, { revision: BigInt(revision) });
    const bytes = toBinary(CompactionRequestSchema, message);
    return new Promise((resolve, reject) => {
      this.propose<void>({ field: raftField.compaction, bytes, request }, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  async defragment(): Promise<void> {
    const { clock, logger } = this.parts;
    const { backend, writer } = this.storage.current;
    const startMs = clock.monotonicMs();
    logger.info("starting defragment");
    this.metrics.defragsInFlight.inc();
    try {
      await writer.flush();
      await backend.defragment();
    } finally {
      this.metrics.defragsInFlight.inc(-1);
    }
    const tookMs = clock.monotonicMs() - startMs;
    this.metrics.defragSeconds.observe(tookMs / 1000);
    logger.info("finished defragment", { took: formatGoDuration(tookMs) });
  }

  /** A new id for a lease: positive, and hard to guess, for who knows it can revoke the lease. */
  newLeaseId(): LeaseId {
    for (;;) {
      const id = BigInt.asUintN(63, this.parts.random64()) as LeaseId;
      if (id !== noLease && !this.lessor.has(id)) return id;
    }
  }

  /** The store as etcd's database file. */
  openSnapshot(reader: SnapshotReader): Promise<DatabaseSnapshot> {
    return this.storage.openSnapshot(reader).then((snapshot) => {
      const startMs = this.monotonicMs();
      let isOpen = true;
      const close = () => {
        if (isOpen) this.metrics.backendSnapshotSeconds.observe((this.monotonicMs() - startMs) / 1000);
        isOpen = false;
        snapshot.close();
      };
      return { ...snapshot, close };
    });
  }

  /** What the leader knows of a lease. Rejects with ErrLeaseNotFound or another of etcd's errors. */
  leaseTimes(id: LeaseId, withKeys: boolean): Promise<LeaseTimes> {
    return this.leaseCalls.times(id, withKeys);
  }

  /** HashKV for another member. Rejects with ErrCompacted and ErrFutureRev. */
  async peerHash(revision: number): Promise<PeerHash> {
    const { hash, compactRevision, hashRevision, currentRevision } = await this.stepped(
      this.hashKv(revision),
    );
    return { hash, compactRevision, hashRevision, revision: currentRevision };
  }

  /** The same where this member leads; otherwise ErrNotLeader. */
  leaseTimesHere(id: LeaseId, withKeys: boolean): Promise<LeaseTimes> {
    return this.leaseCalls.timesHere(id, withKeys);
  }

  /** Has this member, as the leader, renew a lease for another one: gives its seconds. Rejects with etcd's errors. */
  renewLeaseHere(id: LeaseId): Promise<number> {
    return this.leaseCalls.renewHere(id);
  }

  // Settings, time and chance.

  get quotaBackendBytes(): number {
    return quotaBytes(this.parts.settings);
  }

  get maxTxnOps(): number {
    return this.parts.settings.maxTxnOps;
  }

  get maxRequestBytes(): number {
    return this.parts.settings.maxRequestBytes;
  }

  get watchProgressIntervalMs(): number {
    return this.parts.settings.watchProgressIntervalMs;
  }

  /** How long a request may take before it is given up, in milliseconds: as etcd's ReqTimeout. */
  get requestTimeoutMs(): number {
    return requestTimeoutMs(this.parts.settings);
  }

  get electionTimeoutMs(): number {
    return electionTimeoutMs(this.parts.settings);
  }

  get logger(): Logger {
    return this.parts.logger;
  }

  jitter(): number {
    return Number(BigInt.asUintN(32, this.parts.random64())) / 2 ** 32;
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.parts.clock.after(delayMs, callback);
  }

  monotonicMs(): number {
    return this.parts.clock.monotonicMs();
  }
}
