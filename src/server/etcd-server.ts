/**
 * One member: ties Raft, log, store, leases and membership together, and is what the services above talk to. The parts do
 * the work; this file says who hears of what.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import type { Backend } from "../backend/backend.ts";
import { type HeaderFields, headerPrefix } from "../codec/header.ts";
import { raftField } from "../codec/raft-internal.ts";
import type { EtcdError } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import { type AlarmMember, CompactionRequestSchema } from "../gen/etcdserverpb/rpc_pb.ts";
import {
  ClusterMemberAttrSetRequestSchema,
  ClusterVersionSetRequestSchema,
} from "../gen/membershippb/membership_pb.ts";
import type { Lessor } from "../lease/lessor.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import { type LeaseId, type MemberId, noLease, noMember, type RaftIndex, type Term } from "../lib/ids.ts";
import type { Logger } from "../lib/logger.ts";
import type { Entry } from "../lib/raft-entry.ts";
import type { Steps } from "../lib/steps.ts";
import type { Cluster } from "../membership/cluster.ts";
import { formatId } from "../membership/member.ts";
import type { MvccStore } from "../mvcc/store.ts";
import type { KeyValueStore } from "../mvcc/types.ts";
import { WatchHub } from "../mvcc/watch/watch-hub.ts";
import type { ProposeRefusal } from "../raft/leader/propose.ts";
import type { RawNode } from "../raft/raw-node.ts";
import type { SoftState } from "../raft/ready.ts";
import type { Wal } from "../wal/wal.ts";
import type { Alarms } from "./alarms.ts";
import { Applier } from "./apply/applier.ts";
import { ApplyLoop } from "./apply-loop.ts";
import { CompactionRunner } from "./compaction-runner.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { LinearizableReads } from "./linearizable-reads.ts";
import { LogTrimmer } from "./log-trimmer.ts";
import { type Done, Proposals } from "./proposal.ts";
import { RaftLoop } from "./raft-loop.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import { Slices } from "./slices.ts";
import { type DatabaseSnapshot, SnapshotMaker, type SnapshotReader } from "./snapshot/database-snapshot.ts";
import { StoreWriter, type StoreWriterLimits } from "./store-writer.ts";
import { clusterVersion, etcdVersion, storageVersion } from "./versions.ts";
import { WatchDriver } from "./watch-driver.ts";

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
}

export interface EtcdServerParts {
  readonly settings: EtcdServerSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ServerMetrics;
  readonly node: RawNode;
  readonly wal: Wal;
  readonly backend: Backend;
  readonly store: MvccStore;
  readonly lessor: Lessor;
  readonly alarms: Alarms;
  readonly cluster: Cluster;
  /** 64 random bits. */
  readonly random64: () => bigint;
  /** Something that the server cannot go on after. Called once. */
  readonly onFatal: (error: Error) => void;
}

/** etcd's default quota: 2 GiB. */
const defaultQuotaBytes = 2 * 1024 ** 3;
/** Proposals that wait for their end; more are refused, as etcd does when apply falls behind. */
const pendingProposalsMax = 100_000;

const ignore = () => {};
const never = () => false;

export class EtcdServer {
  readonly store: KeyValueStore;
  readonly cluster: Cluster;
  readonly lessor: Lessor;
  readonly slices: Slices;
  readonly watchHub: WatchHub;
  readonly versions = { server: etcdVersion, storage: storageVersion };
  readonly metrics: ServerMetrics;
  readonly #parts: EtcdServerParts;
  readonly #headerPrefix: Uint8Array;
  readonly #proposals: Proposals;
  readonly #applyLoop: ApplyLoop;
  readonly #raftLoop: RaftLoop;
  readonly #reads: LinearizableReads;
  readonly #writer: StoreWriter;
  readonly #compaction: CompactionRunner;
  readonly #trimmer: LogTrimmer;
  readonly #leases: LeaseKeeper;
  readonly #snapshots: SnapshotMaker;
  readonly #watches: WatchDriver;
  readonly #ready: Promise<void>;
  #markReady!: () => void;
  /** The term whose first entry, as a leader, this member has applied. */
  #ledTerm = 0 as Term;
  #soleVoterLeads = false;
  #fatal = false;
  #stopping = false;
  #lastTickMs = 0;

  constructor(parts: EtcdServerParts) {
    this.#parts = parts;
    const { settings, clock, logger, node, wal, backend, store, cluster, lessor } = parts;
    this.store = store;
    this.cluster = cluster;
    this.lessor = lessor;
    this.metrics = parts.metrics;
    this.slices = new Slices(clock);
    this.watchHub = new WatchHub(store);
    this.#headerPrefix = headerPrefix({ clusterId: cluster.id, memberId: cluster.localId });
    this.#proposals = new Proposals(cluster.localId, clock.wallMs());
    this.#ready = new Promise((resolve) => {
      this.#markReady = resolve;
    });
    const onFatal = (error: Error) => this.#failed(error);
    const applier = new Applier({
      store,
      lessor,
      cluster,
      alarms: parts.alarms,
      proposals: this.#proposals,
      logger,
      monotonicMs: () => clock.monotonicMs(),
      overQuota: () => this.overQuota(),
      applyConfChange: (change) => node.applyConfChange(change),
      onMembershipChange: () => this.#leadershipChanged(),
      onLeaderEntry: (term) => this.#leaderEntryApplied(term),
      onLeaseRevoked: (id) => this.#leases.revoked(id),
      onApplied: (field, error) => this.#countApplied(field, error),
    });
    this.#applyLoop = new ApplyLoop(node.appliedIndex, {
      clock,
      apply: (entry) => applier.apply(entry),
      onApplied: (index) => this.#applied(index),
      onFatal,
    });
    this.#raftLoop = new RaftLoop({
      node,
      wal,
      clock,
      tickMs: settings.tickMs,
      hasRoom: () => this.#writer.hasRoom,
      onCommitted: (entries) => this.#applyLoop.push(entries),
      onReadState: (index, context) => this.#reads.confirmed(index, context),
      onSoftState: (state) => this.#softStateChanged(state),
      onRefused: (entries, why) => this.#refused(entries, why),
      onTick: () => this.#tick(),
      send: () => {},
      onFatal,
    });
    this.#reads = new LinearizableReads({
      node,
      applyLoop: this.#applyLoop,
      clock,
      process: () => this.#raftLoop.process(),
      soleVoterLeads: () => this.#soleVoterLeads,
    });
    this.#writer = new StoreWriter({
      store,
      backend,
      clock,
      limits: settings.storeLimits,
      onFatal,
      onRoom: () => this.#raftLoop.flush(),
      onWritten: () => this.#written(),
      onCommitTime: (seconds) => parts.metrics.backendCommitSeconds.observe(seconds),
    });
    this.#compaction = new CompactionRunner({
      backend,
      store,
      clock,
      logger: logger.at("server/compaction-runner.ts"),
      onFatal,
      onFinished: (removed, tookMs) => {
        parts.metrics.compactedKeys.inc(removed);
        parts.metrics.compactionMs.observe(tookMs);
      },
    });
    this.#snapshots = new SnapshotMaker({
      backend,
      holdWrites: () => this.#writer.hold(),
      holdCompaction: () => this.#compaction.hold(),
      runSteps: (steps, done, failed, isCancelled) => this.runSteps(steps, done, failed, isCancelled),
      monotonicMs: () => clock.monotonicMs(),
    });
    this.#trimmer = new LogTrimmer(
      {
        backend,
        wal,
        logger: logger.at("server/log-trimmer.ts"),
        snapshotCount: settings.snapshotCount,
        logBytesMax: settings.logBytesMax,
        keepSegments: settings.keepWalSegments,
        confState: () => node.confState,
        onSnapshot: (index, _term, confState) => node.createSnapshot(index, confState),
        onFatal,
      },
      backend.durable.appliedIndex,
    );
    this.#watches = new WatchDriver({
      hub: this.watchHub,
      clock,
      runSteps: (steps, done, failed) => this.runSteps(steps, done, failed, never),
      onFatal,
    });
    this.#leases = new LeaseKeeper({
      lessor,
      clock,
      logger: logger.at("server/lease-keeper.ts"),
      extendMs: settings.tickMs * settings.electionTicks,
      propose: (field, bytes, request, done) => this.propose({ field, bytes, request }, done),
      runSteps: (steps) => this.runSteps(steps, ignore, onFatal, never),
      whenCaughtUp: (run) => this.#applyLoop.whenApplied(node.commitIndex, run),
      onExpired: () => parts.metrics.leasesExpired.inc(),
      onRenewed: () => parts.metrics.leasesRenewed.inc(),
    });
  }

  /** Starts Raft. Resolves when this member is part of the cluster and has told its name and client URLs. */
  start(): Promise<void> {
    const { node, cluster, logger } = this.#parts;
    this.#lastTickMs = this.#parts.clock.monotonicMs();
    this.#raftLoop.start();
    this.#raftLoop.process();
    const { voters, votersOutgoing } = node.confState;
    if (votersOutgoing.length === 0 && voters.length === 1 && voters[0] === cluster.localId) {
      node.campaign();
      this.#raftLoop.process();
    }
    this.#compaction.poke();
    logger.info("starting etcd server", {
      "local-member-id": formatId(cluster.localId),
      "local-server-version": etcdVersion,
      "cluster-id": formatId(cluster.id),
      "cluster-version": cluster.version ?? "to_be_decided",
    });
    this.#publish();
    return this.#ready;
  }

  /** Stops taking requests, finishes what is under way, and closes log and store. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    if (this.isLeader && !this.#fatal) await this.#withinOneSecond(this.#leases.writeDown());
    this.#stopping = true;
    this.#leases.stop();
    this.#snapshots.stop();
    this.#reads.failAll(errors.stopped());
    this.#proposals.failAll(errors.stopped());
    this.#raftLoop.stop();
    await this.#compaction.stop();
    await this.#trimmer.stop();
    if (!this.#fatal) await this.#writer.stop();
    await this.#parts.wal.close();
    await this.#parts.backend.close();
  }

  #withinOneSecond(work: Promise<void>): Promise<void> {
    const timeout = new Promise<void>((resolve) => {
      this.#parts.clock.after(1000, resolve);
    });
    return Promise.race([work, timeout]);
  }

  // What the services use.

  header(): HeaderFields {
    return this.headerAt(this.store.revision);
  }

  headerAt(revision: number): HeaderFields {
    return { prefix: this.#headerPrefix, revision, raftTerm: this.#parts.node.term };
  }

  get maxTxnOps(): number {
    return this.#parts.settings.maxTxnOps;
  }

  propose<Result>(
    proposal: { readonly field: number; readonly bytes: Uint8Array; readonly request: unknown },
    done: (error: EtcdError | undefined, result?: Result) => void,
  ): void {
    const refusal = this.#refusal(proposal.bytes.length);
    if (refusal) {
      done(refusal());
      return;
    }
    const { field, bytes, request } = proposal;
    // The time of the last tick will do: it only decides when a request has waited for too long.
    this.#raftLoop.propose(this.#proposals.entry(field, bytes, request, this.#lastTickMs, done as Done));
  }

  #refusal(bytes: number): (() => EtcdError) | undefined {
    if (this.#stopping || this.#fatal) return errors.stopped;
    if (this.#proposals.count >= pendingProposalsMax) return errors.tooManyRequests;
    return bytes > this.#parts.settings.maxRequestBytes ? errors.requestTooLarge : undefined;
  }

  linearizable(ready: () => void, failed: (error: EtcdError) => void): void {
    if (this.#stopping || this.#fatal) failed(errors.stopped());
    else this.#reads.add(ready, failed);
  }

  runSteps<T>(
    steps: Steps<T>,
    done: (value: T) => void,
    failed: (error: EtcdError) => void,
    isCancelled: () => boolean,
  ): void {
    this.slices.run(steps, done, failed, isCancelled);
  }

  get isLeader(): boolean {
    return this.#parts.node.role === "leader";
  }

  get hasLeader(): boolean {
    return this.#parts.node.leader !== noMember;
  }

  raftStatus(): { term: Term; leader: MemberId; commitIndex: RaftIndex; appliedIndex: RaftIndex } {
    const { term, leader, commitIndex } = this.#parts.node;
    return { term, leader, commitIndex, appliedIndex: this.#applyLoop.applied };
  }

  alarms(): AlarmMember[] {
    return this.#parts.alarms.list();
  }

  backendSizes(): { totalBytes: number; inUseBytes: number } {
    return this.#parts.backend.sizes();
  }

  get quotaBackendBytes(): number {
    const { quotaBackendBytes } = this.#parts.settings;
    return quotaBackendBytes === 0 ? defaultQuotaBytes : quotaBackendBytes;
  }

  overQuota(): boolean {
    const quota = this.quotaBackendBytes;
    return quota > 0 && this.#parts.backend.sizes().totalBytes > quota;
  }

  *hashAll(): Steps<{ hash: number; revision: number }> {
    const { revision } = this.store;
    const hash = yield* this.store.hash(["lease", "alarm", "members", "cluster", "meta"]);
    return { hash, revision };
  }

  *hashKv(
    revision: number,
  ): Steps<{ hash: number; compactRevision: number; hashRevision: number; currentRevision: number }> {
    const answer = yield* this.store.hashByRevision(revision);
    return { ...answer, currentRevision: answer.revision };
  }

  physicallyCompacted(revision: number): Promise<void> {
    return this.#compaction.done(revision);
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

  get walBytes(): number {
    return this.#parts.wal.sizeBytes;
  }

  async defragment(): Promise<void> {
    const { clock, backend, logger } = this.#parts;
    const startMs = clock.monotonicMs();
    logger.info("starting defragment");
    await this.#writer.flush();
    await backend.defragment();
    const tookMs = clock.monotonicMs() - startMs;
    this.metrics.defragSeconds.observe(tookMs / 1000);
    logger.info("finished defragment", { took: `${tookMs}ms` });
  }

  get logger(): Logger {
    return this.#parts.logger;
  }

  /** The store as etcd's database file. */
  openSnapshot(reader: SnapshotReader): Promise<DatabaseSnapshot> {
    return this.#stopping || this.#fatal ? Promise.reject(errors.stopped()) : this.#snapshots.open(reader);
  }

  get pendingProposals(): number {
    return this.#proposals.count;
  }

  /** A new id for a lease: positive, and hard to guess, for who knows it can revoke the lease. */
  newLeaseId(): LeaseId {
    for (;;) {
      const id = BigInt.asUintN(63, this.#parts.random64()) as LeaseId;
      if (id !== noLease && !this.lessor.has(id)) return id;
    }
  }

  get watchProgressIntervalMs(): number {
    return this.#parts.settings.watchProgressIntervalMs;
  }

  get maxRequestBytes(): number {
    return this.#parts.settings.maxRequestBytes;
  }

  jitter(): number {
    return Number(BigInt.asUintN(32, this.#parts.random64())) / 2 ** 32;
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#parts.clock.after(delayMs, callback);
  }

  monotonicMs(): number {
    return this.#parts.clock.monotonicMs();
  }

  /** The leader's clock of leases, for keep-alives. */
  get leases(): LeaseKeeper {
    return this.#leases;
  }

  /** How long a request may take before it is given up, in milliseconds: as etcd's ReqTimeout. */
  get requestTimeoutMs(): number {
    const { tickMs, electionTicks } = this.#parts.settings;
    return 5_000 + 2 * tickMs * electionTicks;
  }

  // What the parts tell.

  #applied(index: RaftIndex): void {
    this.#raftLoop.applied(index);
    this.#watches.applied();
    this.#writer.applied();
  }

  #written(): void {
    this.#compaction.poke();
    this.#trimmer.poke();
  }

  #countApplied(field: number, error: EtcdError | undefined): void {
    if (error) return;
    if (field === raftField.put) this.metrics.puts.inc();
    else if (field === raftField.txn) this.metrics.txns.inc();
    else if (field === raftField.deleteRange) this.metrics.deletes.inc();
    else if (field === raftField.leaseGrant) this.metrics.leasesGranted.inc();
    else if (field === raftField.leaseRevoke) this.metrics.leasesRevoked.inc();
  }

  #softStateChanged({ leader, role }: SoftState): void {
    const { logger, cluster, node } = this.#parts;
    if (leader !== noMember) this.metrics.leaderChanges.inc();
    logger.named("raft").info(`${formatId(cluster.localId)} became ${role} at term ${node.term}`, {
      leader: formatId(leader),
    });
    this.#leadershipChanged();
  }

  #leaderEntryApplied(term: Term): void {
    this.#ledTerm = term;
    this.#leadershipChanged();
    if (!this.isLeader || term !== this.#parts.node.term) return;
    this.#leases.promote();
    if (this.cluster.version === undefined) {
      const request = create(ClusterVersionSetRequestSchema, { ver: clusterVersion });
      const bytes = toBinary(ClusterVersionSetRequestSchema, request);
      this.propose({ field: raftField.clusterVersionSet, bytes, request }, () => {});
    }
  }

  #leadershipChanged(): void {
    const { node, cluster } = this.#parts;
    const { voters, votersOutgoing } = node.confState;
    const alone = voters.length === 1 && votersOutgoing.length === 0 && voters[0] === cluster.localId;
    this.#soleVoterLeads = alone && this.isLeader && this.#ledTerm === node.term;
    if (!this.isLeader) this.#leases.demote();
  }

  /** Tells the cluster this member's name and client URLs; tries again until it has. */
  #publish(): void {
    const { settings, cluster, clock, logger } = this.#parts;
    const request = create(ClusterMemberAttrSetRequestSchema, {
      memberID: cluster.localId,
      memberAttributes: { name: settings.name, clientUrls: [...settings.advertiseClientUrls] },
    });
    const bytes = toBinary(ClusterMemberAttrSetRequestSchema, request);
    const attempt = () => {
      if (this.#stopping) return;
      this.propose({ field: raftField.clusterMemberAttrSet, bytes, request }, (error) => {
        if (error) {
          clock.after(settings.tickMs, attempt);
          return;
        }
        logger.info("published local member to cluster through raft", {
          "local-member-id": formatId(cluster.localId),
          "cluster-id": formatId(cluster.id),
        });
        this.#markReady();
      });
    };
    attempt();
  }

  #refused(entries: readonly Entry[], why: ProposeRefusal): void {
    this.metrics.proposalsFailed.inc(entries.length);
    const error = why === "too many uncommitted bytes" ? errors.tooManyRequests : errors.noLeader;
    this.#proposals.failEntries(entries, error);
  }

  #tick(): void {
    const { clock, settings, metrics } = this.#parts;
    const nowMs = clock.monotonicMs();
    metrics.loopDelaySeconds.observe(Math.max(0, nowMs - this.#lastTickMs - settings.tickMs) / 1000);
    this.#lastTickMs = nowMs;
    const expired = this.#proposals.expire(nowMs - this.requestTimeoutMs);
    if (expired > 0) metrics.proposalsFailed.inc(expired);
    this.#reads.tick(this.requestTimeoutMs);
    this.#leases.tick(nowMs);
    this.#snapshots.tick(nowMs);
  }

  #failed(error: Error): void {
    if (this.#fatal) return;
    this.#fatal = true;
    this.#raftLoop.stop();
    this.#reads.failAll(errors.stopped());
    this.#proposals.failAll(errors.stopped());
    this.#parts.onFatal(error);
  }
}
