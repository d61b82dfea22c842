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
import { ClusterVersionSetRequestSchema } from "../gen/membershippb/membership_pb.ts";
import type { Lessor } from "../lease/lessor.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import { type LeaseId, type MemberId, noLease, noMember, type RaftIndex, type Term } from "../lib/ids.ts";
import type { Logger } from "../lib/logger.ts";
import type { Entry, SnapshotMark } from "../lib/raft-entry.ts";
import { type Message, MessageType } from "../lib/raft-message.ts";
import type { Steps } from "../lib/steps.ts";
import type { Cluster } from "../membership/cluster.ts";
import { formatId, type Member, type Sha1 } from "../membership/member.ts";
import { MvccStore } from "../mvcc/store.ts";
import { WatchHub } from "../mvcc/watch/watch-hub.ts";
import type { ProposeRefusal } from "../raft/leader/propose.ts";
import type { RawNode } from "../raft/raw-node.ts";
import type { SoftState } from "../raft/ready.ts";
import type { Wal } from "../wal/wal.ts";
import type { Alarms } from "./alarms.ts";
import { Applier } from "./apply/applier.ts";
import { ApplyLoop } from "./apply-loop.ts";
import { LeaderCalls } from "./leader-calls.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { LinearizableReads } from "./linearizable-reads.ts";
import { loadState } from "./load-state.ts";
import { ClusterVersions } from "./members/cluster-versions.ts";
import { LeaderTransfer } from "./members/leader-transfer.ts";
import { MemberChanges } from "./members/member-changes.ts";
import { PeerSet } from "./members/peer-set.ts";
import { publish } from "./members/publisher.ts";
import type { LeaseTimes, Peers } from "./peers.ts";
import { type Done, Proposal, Proposals } from "./proposal.ts";
import { RaftLoop } from "./raft-loop.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import { Slices } from "./slices.ts";
import type { DatabaseSnapshot, SnapshotReader } from "./snapshot/database-snapshot.ts";
import { type IncomingSnapshot, SnapshotReceiver } from "./snapshot/receive-snapshot.ts";
import { SnapshotSender } from "./snapshot/send-snapshot.ts";
import type { StoreSlots } from "./snapshot/store-slots.ts";
import { Storage } from "./storage.ts";
import type { StoreWriterLimits } from "./store-writer.ts";
import { timeoutError } from "./timeout-error.ts";
import { etcdVersion, storageVersion } from "./versions.ts";
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
  /** Limit of the store's cache of hot values. */
  readonly cacheBytes: number;
  /** `--strict-reconfig-check`. */
  readonly strictReconfigCheck: boolean;
  /** `--initial-election-tick-advance`: a member that has found others does not wait a whole timeout for a leader. */
  readonly initialElectionTickAdvance: boolean;
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
/** Proposals that wait for their end; more are refused, as etcd does when apply falls behind. */
const pendingProposalsMax = 100_000;

/** A member that was removed goes on for so long, so that whoever removed it through it has an answer. */
const removedGraceMs = 1000;
/** A leader whose ticks are later than so many ticks may have been stuck, and asks whether it still leads. */
const ticksMissedMax = 3;
/** After so long a member that found nobody waits for its election as long as any other. */
const hurryMs = 5_000;

const ignore = () => {};
const never = () => false;

export class EtcdServer {
  readonly cluster: Cluster;
  readonly lessor: Lessor;
  readonly slices: Slices;
  readonly watchHub: WatchHub;
  readonly versions = { server: etcdVersion, storage: storageVersion };
  readonly metrics: ServerMetrics;
  /** The leader's clock of leases, for keep-alives. */
  readonly leases: LeaseKeeper;
  /** Changes of the membership. */
  readonly members: MemberChanges;
  readonly #parts: EtcdServerParts;
  readonly #headerPrefix: Uint8Array;
  readonly #proposals: Proposals;
  readonly #applyLoop: ApplyLoop;
  readonly #raftLoop: RaftLoop;
  readonly #reads: LinearizableReads;
  readonly #watches: WatchDriver;
  readonly #leaderCalls: LeaderCalls;
  readonly #transfer: LeaderTransfer;
  readonly #peerSet: PeerSet;
  readonly #clusterVersions: ClusterVersions;
  readonly #sender: SnapshotSender;
  readonly #receiver: SnapshotReceiver;
  #storage: Storage;
  /** Stores that were replaced and are being closed. */
  readonly #retiring = new Set<Promise<void>>();
  /** The term whose first entry, as a leader, this member has applied. */
  #ledTerm = 0 as Term;
  /** The last term in which this member was asked to hand over leadership. */
  #transferTerm = 0 as Term;
  #soleVoterLeads = false;
  #isLearner = false;
  #isVoter = false;
  #leader = noMember;
  /** When the leader of now was first heard of. */
  #leaderSinceMs = Number.NEGATIVE_INFINITY;
  #hurryEndMs = 0;
  #fatal = false;
  #stopping = false;
  #removed = false;
  #lastTickMs = 0;

  constructor(parts: EtcdServerParts) {
    this.#parts = parts;
    const { clock, cluster, node, lessor, stores } = parts;
    this.cluster = cluster;
    this.lessor = lessor;
    this.metrics = parts.metrics;
    this.slices = new Slices(clock);
    this.watchHub = new WatchHub(parts.store);
    this.#headerPrefix = headerPrefix({ clusterId: cluster.id, memberId: cluster.localId });
    this.#proposals = new Proposals(cluster.localId, clock.wallMs());
    this.#storage = this.#makeStorage(stores.current, parts.store);
    this.#applyLoop = this.#makeApplyLoop();
    this.#raftLoop = this.#makeRaftLoop();
    this.#reads = new LinearizableReads({
      node,
      applyLoop: this.#applyLoop,
      clock,
      process: () => this.#raftLoop.process(),
      soleVoterLeads: () => this.#soleVoterLeads,
      random64: parts.random64,
    });
    this.#watches = new WatchDriver({
      hub: this.watchHub,
      clock,
      runSteps: (steps, done, failed) => this.runSteps(steps, done, failed, never),
      onFatal: (error) => this.#failed(error),
    });
    const leader = () => node.leader;
    this.#leaderCalls = new LeaderCalls({ cluster, clock, leader, timeoutMs: this.requestTimeoutMs });
    this.leases = this.#makeLeases();
    this.members = this.#makeMembers();
    this.#transfer = this.#makeTransfer();
    this.#peerSet = new PeerSet({
      cluster,
      peers: parts.peers,
      clock,
      partingMs: 2 * this.electionTimeoutMs,
    });
    this.#clusterVersions = this.#makeClusterVersions();
    this.#sender = this.#makeSender();
    this.#receiver = this.#makeReceiver();
  }

  #makeStorage(backend: Backend, store: MvccStore): Storage {
    const { settings, clock, logger, metrics, node, wal } = this.#parts;
    return new Storage({
      backend,
      store,
      wal,
      node,
      clock,
      logger,
      metrics,
      limits: settings.storeLimits,
      snapshotCount: settings.snapshotCount,
      logBytesMax: settings.logBytesMax,
      keepWalSegments: settings.keepWalSegments,
      runSteps: (steps, done, failed, isCancelled) => this.runSteps(steps, done, failed, isCancelled),
      onRoom: () => this.#raftLoop.flush(),
      onFatal: (error) => this.#failed(error),
    });
  }

  #makeApplyLoop(): ApplyLoop {
    const { clock, logger, node, cluster, lessor, alarms } = this.#parts;
    const storeInUse = () => this.store;
    const applier = new Applier({
      get store() {
        return storeInUse();
      },
      lessor,
      cluster,
      alarms,
      proposals: this.#proposals,
      logger,
      monotonicMs: () => clock.monotonicMs(),
      overQuota: () => this.overQuota(),
      applyConfChange: (change) => node.applyConfChange(change),
      onMembershipChange: () => this.#membershipChanged(),
      onLeaderEntry: (term) => this.#leaderEntryApplied(term),
      onLeaseRevoked: (id) => this.leases.revoked(id),
      onApplied: (field, error) => this.metrics.countApplied(field, error),
    });
    return new ApplyLoop(node.appliedIndex, {
      clock,
      apply: (entry) => applier.apply(entry),
      onApplied: (index) => this.#applied(index),
      onFatal: (error) => this.#failed(error),
    });
  }

  #makeRaftLoop(): RaftLoop {
    const { settings, clock, node, wal } = this.#parts;
    return new RaftLoop({
      node,
      wal,
      clock,
      tickMs: settings.tickMs,
      hasRoom: () => this.#storage.writer.hasRoom,
      onCommitted: (entries) => this.#applyLoop.push(entries),
      onReadState: (index, context) => this.#reads.confirmed(index, context),
      onSoftState: (state) => this.#softStateChanged(state),
      onRefused: (entries, why) => this.#refused(entries, why),
      isWanted: ({ decoded }) => decoded instanceof Proposal && this.#proposals.isPending(decoded),
      onTick: () => this.#tick(),
      send: (messages) => this.#send(messages),
      onSnapshot: ({ metadata }) => this.#receiver.accept(metadata),
      install: ({ metadata }) => this.#install(metadata),
      onFatal: (error) => this.#failed(error),
    });
  }

  #makeLeases(): LeaseKeeper {
    const { clock, logger, node, lessor, metrics, peers, cluster } = this.#parts;
    return new LeaseKeeper({
      lessor,
      clock,
      logger: logger.at("server/lease-keeper.ts"),
      extendMs: this.electionTimeoutMs,
      proposeHere: (field, bytes, request, done) => this.#proposeHere({ field, bytes, request }, done),
      confirmLeadership: (then, failed) => this.linearizable(then, failed),
      isActive: () => this.#leadsForCertain(),
      renewElsewhere: (id, done) => {
        const ask = (leader: Member) =>
          leader.id === cluster.localId ? this.#keepAliveHere(id) : peers.renewLease(leader, id);
        this.#leaderCalls.ask(ask, [errors.leaseNotFound]).then(
          (ttlSeconds) => done(undefined, ttlSeconds),
          (error: EtcdError) =>
            error.message === errors.leaseNotFound.text ? done(undefined, 0) : done(error, 0),
        );
      },
      runSteps: (steps) => this.runSteps(steps, ignore, (error) => this.#failed(error), never),
      whenCaughtUp: (run) => this.#applyLoop.whenApplied(node.commitIndex, run),
      onExpired: () => metrics.leasesExpired.inc(),
      onRenewed: () => metrics.leasesRenewed.inc(),
    });
  }

  #makeMembers(): MemberChanges {
    const { settings, clock, logger, node, cluster, peers, sha1 } = this.#parts;
    return new MemberChanges({
      cluster,
      node,
      peers,
      clock,
      logger: logger.at("server/members/member-changes.ts"),
      proposals: this.#proposals,
      sha1,
      strict: settings.strictReconfigCheck,
      leaderCalls: this.#leaderCalls,
      caughtUp: () => new Promise((resolve) => this.#applyLoop.whenApplied(node.commitIndex, resolve)),
      process: () => this.#raftLoop.process(),
    });
  }

  #makeTransfer(): LeaderTransfer {
    const { settings, clock, logger, node, cluster, peers } = this.#parts;
    return new LeaderTransfer({
      cluster,
      clock,
      logger: logger.at("server/members/leader-transfer.ts"),
      peers,
      tickMs: settings.tickMs,
      leader: () => node.leader,
      matchOf: (id) => node.status().progress.get(id)?.match ?? 0,
      transfer: (target) => {
        this.#transferTerm = node.term;
        this.#raftLoop.tell(() => node.transferLeader(target));
      },
    });
  }

  #makeClusterVersions(): ClusterVersions {
    const { clock, logger, cluster, peers } = this.#parts;
    return new ClusterVersions({
      cluster,
      peers,
      clock,
      logger: logger.at("server/members/cluster-versions.ts"),
      isLeader: () => this.isLeader,
      propose: (ver) => {
        const request = create(ClusterVersionSetRequestSchema, { ver });
        const bytes = toBinary(ClusterVersionSetRequestSchema, request);
        this.propose({ field: raftField.clusterVersionSet, bytes, request }, ignore);
      },
    });
  }

  #makeSender(): SnapshotSender {
    const { clock, logger, peers } = this.#parts;
    return new SnapshotSender({
      open: (reader) => this.openSnapshot(reader),
      peers,
      logger: logger.at("server/snapshot/send-snapshot.ts"),
      monotonicMs: () => clock.monotonicMs(),
      report: (to, ok) => this.#raftLoop.tell((node) => node.reportSnapshot(to, ok)),
    });
  }

  #makeReceiver(): SnapshotReceiver {
    const { clock, logger, node, stores } = this.#parts;
    return new SnapshotReceiver({
      stores,
      node,
      logger: logger.at("server/snapshot/receive-snapshot.ts"),
      monotonicMs: () => clock.monotonicMs(),
      holdTrimmer: () => this.#storage.trimmer.hold(),
      step: (message) => {
        this.#raftLoop.receive(message);
        this.#raftLoop.process();
      },
    });
  }

  /** Starts Raft. Resolves when this member is part of the cluster and has told its name and client URLs. */
  start(): Promise<void> {
    const { node, cluster, clock, logger, remotes, settings } = this.#parts;
    this.#lastTickMs = clock.monotonicMs();
    this.#hurryEndMs = settings.initialElectionTickAdvance ? this.#lastTickMs + hurryMs : 0;
    this.#peerSet.addRemotes(remotes);
    this.#membershipChanged();
    this.#raftLoop.start();
    this.#raftLoop.process();
    const { voters, votersOutgoing } = node.confState;
    if (votersOutgoing.length === 0 && voters.length === 1 && voters[0] === cluster.localId) {
      node.campaign();
      this.#raftLoop.process();
    }
    this.#storage.compaction.poke();
    logger.info("starting etcd server", {
      "local-member-id": formatId(cluster.localId),
      "local-server-version": etcdVersion,
      "cluster-id": formatId(cluster.id),
      "cluster-version": cluster.version ?? "to_be_decided",
    });
    return publish({
      name: settings.name,
      clientUrls: settings.advertiseClientUrls,
      cluster,
      clock,
      logger,
      retryMs: settings.tickMs,
      isStopping: () => this.#stopping,
      propose: (field, bytes, request, done) => this.propose({ field, bytes, request }, done),
    });
  }

  /** Hands leadership over, stops taking requests, finishes what is under way, and closes log and store. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    if (!this.#fatal && !this.#removed) await this.#withinOneSecond(this.#handOver());
    this.#stopping = true;
    this.leases.stop();
    this.#leaderCalls.stop();
    this.#reads.failAll(errors.stopped());
    this.#proposals.failAll(errors.stopped());
    this.#raftLoop.stop();
    await this.#storage.stop({ flush: !this.#fatal });
    await this.#parts.wal.close();
    await Promise.all(this.#retiring);
    await this.#parts.stores.dropNext();
    await this.#storage.backend.close();
  }

  async #handOver(): Promise<void> {
    if (this.isLeader) await this.leases.writeDown();
    await this.#transfer.beforeStop(this.electionTimeoutMs);
  }

  #withinOneSecond(work: Promise<void>): Promise<void> {
    const timeout = new Promise<void>((resolve) => {
      this.#parts.clock.after(1000, resolve);
    });
    return Promise.race([work, timeout]);
  }

  // What the transport between members tells.

  /** A message of Raft. Not for snapshots. */
  receive(message: Message): void {
    const { cluster } = this;
    if (message.to !== cluster.localId || message.type === MessageType.snap) return;
    if (!this.isRemoved(message.from)) this.#raftLoop.receive(message);
  }

  /** Whether a member was removed, and is not to be listened to: the one who led until then may still hand over. */
  isRemoved(id: MemberId): boolean {
    return this.cluster.isRemoved(id) && id !== this.#parts.node.leader;
  }

  /** A snapshot. Resolves when the file is no longer needed; rejects when it could not be used. */
  receiveSnapshot(snapshot: IncomingSnapshot): Promise<void> {
    if (this.#stopping || this.#fatal) return Promise.reject(errors.stopped());
    return this.#receiver.receive(snapshot);
  }

  /** A message to this member was lost. */
  reportUnreachable(id: MemberId): void {
    this.#raftLoop.tell((node) => node.reportUnreachable(id));
  }

  /** This member is no longer in the cluster: applied here, or told by another. */
  wasRemoved(): void {
    if (this.#removed) return;
    this.#removed = true;
    const { clock, logger, onRemoved } = this.#parts;
    clock.after(removedGraceMs, () => {
      if (this.#stopping) return;
      logger.warn("server error", {
        error: "the member has been permanently removed from the cluster",
      });
      logger.warn("data-dir used by this member must be removed");
      onRemoved();
    });
  }

  // What the services use.

  get store(): MvccStore {
    return this.#storage.store;
  }

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

  /** As `propose`, but only if this member leads now: otherwise ErrNotLeader. */
  #proposeHere(
    { field, bytes, request }: { field: number; bytes: Uint8Array; request: unknown },
    done: (error: EtcdError | undefined) => void,
  ): void {
    const refusal = this.#refusal(bytes.length);
    if (refusal) {
      done(refusal());
      return;
    }
    const entry = this.#proposals.entry(field, bytes, request, this.#lastTickMs, done);
    if (this.#raftLoop.proposeHere(entry)) return;
    this.#proposals.finish(entry.decoded as Proposal, errors.notLeader());
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

  /** Whether this member is one that does not vote. */
  get isLearner(): boolean {
    return this.#isLearner;
  }

  /** Hands leadership to another member. Rejects with etcd's errors. */
  moveLeader(target: MemberId): Promise<void> {
    return this.#transfer.moveTo(target, this.requestTimeoutMs);
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
    return this.#storage.backend.sizes();
  }

  get quotaBackendBytes(): number {
    const { quotaBackendBytes } = this.#parts.settings;
    return quotaBackendBytes === 0 ? defaultQuotaBytes : quotaBackendBytes;
  }

  overQuota(): boolean {
    const quota = this.quotaBackendBytes;
    return quota > 0 && this.#storage.backend.sizes().totalBytes > quota;
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
    return this.#storage.compaction.done(revision);
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
    const { clock, logger } = this.#parts;
    const { backend, writer } = this.#storage;
    const startMs = clock.monotonicMs();
    logger.info("starting defragment");
    await writer.flush();
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
    if (this.#stopping || this.#fatal) return Promise.reject(errors.stopped());
    return this.#storage.snapshots.open(reader);
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

  /** What the leader knows of a lease. Rejects with ErrLeaseNotFound or another of etcd's errors. */
  leaseTimes(id: LeaseId, withKeys: boolean): Promise<LeaseTimes> {
    const { cluster, peers } = this.#parts;
    const ask = (leader: Member) =>
      leader.id === cluster.localId
        ? this.leaseTimesHere(id, withKeys)
        : peers.leaseTimes(leader, id, withKeys);
    return this.#leaderCalls.ask(ask, [errors.leaseNotFound]);
  }

  /** The same where this member leads; otherwise ErrNotLeader. */
  async leaseTimesHere(id: LeaseId, withKeys: boolean): Promise<LeaseTimes> {
    await new Promise<void>((resolve, reject) => this.linearizable(resolve, reject));
    const keys = withKeys ? await this.#stepped(this.store.keysOfLease(id)) : [];
    const lease = this.lessor.timeToLive(id, this.#parts.clock.monotonicMs());
    if (!this.lessor.isPrimary) throw errors.notLeader();
    if (lease?.remainingSeconds === undefined) throw errors.leaseNotFound();
    const { grantedTtlSeconds, remainingSeconds } = lease;
    return { grantedTtlSeconds, remainingSeconds, keys };
  }

  /** Has this member, as the leader, renew a lease for another one: gives its seconds. Rejects with etcd's errors. */
  async renewLeaseHere(id: LeaseId): Promise<number> {
    const ttlSeconds = await this.#keepAliveHere(id);
    if (ttlSeconds === 0) throw errors.leaseNotFound();
    return ttlSeconds;
  }

  #keepAliveHere(id: LeaseId): Promise<number> {
    return new Promise((resolve, reject) => {
      this.leases.keepAliveHere(id, (error, ttlSeconds) => (error ? reject(error) : resolve(ttlSeconds)));
    });
  }

  #stepped<T>(steps: Steps<T>): Promise<T> {
    return new Promise((resolve, reject) => this.runSteps(steps, resolve, reject, never));
  }

  /** How long a request may take before it is given up, in milliseconds: as etcd's ReqTimeout. */
  get requestTimeoutMs(): number {
    const { tickMs, electionTicks } = this.#parts.settings;
    return 5_000 + 2 * tickMs * electionTicks;
  }

  get electionTimeoutMs(): number {
    const { tickMs, electionTicks } = this.#parts.settings;
    return tickMs * electionTicks;
  }

  // What the parts tell.

  #applied(index: RaftIndex): void {
    this.#raftLoop.applied(index);
    this.#watches.applied();
    this.#storage.writer.applied();
  }

  #send(messages: readonly Message[]): void {
    const { peers } = this.#parts;
    const isSnapshot = ({ type }: Message) => type === MessageType.snap;
    if (!messages.some(isSnapshot)) {
      peers.send(messages);
      return;
    }
    peers.send(messages.filter((message) => !isSnapshot(message)));
    for (const message of messages.filter(isSnapshot)) this.#sender.send(message);
  }

  #softStateChanged({ leader, role }: SoftState): void {
    const { logger, cluster, node, clock } = this.#parts;
    if (leader !== this.#leader) {
      this.#leader = leader;
      if (leader !== noMember) {
        this.metrics.leaderChanges.inc();
        this.#leaderSinceMs = clock.monotonicMs();
        this.#hurryEndMs = 0;
      }
    }
    logger.named("raft").info(`${formatId(cluster.localId)} became ${role} at term ${node.term}`, {
      leader: formatId(leader),
    });
    this.#leadershipChanged();
    if (leader === noMember) return;
    this.#reads.leaderChanged();
    this.members.retry();
  }

  #leaderEntryApplied(term: Term): void {
    if (term === this.#ledTerm) return;
    this.#ledTerm = term;
    this.#leadershipChanged();
    if (!this.isLeader || term !== this.#parts.node.term) return;
    this.leases.promote();
    this.#clusterVersions.begin();
  }

  #membershipChanged(): void {
    const { cluster } = this;
    this.#peerSet.sync();
    this.#isLearner = cluster.isLearner;
    this.#leadershipChanged();
    if (cluster.isRemoved(cluster.localId)) this.wasRemoved();
  }

  #leadershipChanged(): void {
    const { node, cluster } = this.#parts;
    const { voters, votersOutgoing } = node.confState;
    this.#isVoter = voters.includes(cluster.localId);
    const alone = voters.length === 1 && votersOutgoing.length === 0 && this.#isVoter;
    this.#soleVoterLeads = alone && this.isLeader && this.#ledTerm === node.term;
    if (!this.isLeader) this.leases.demote();
  }

  /**
   * False for a leader that may have been replaced without noticing: its event loop was stuck, or it has begun to hand
   * over, or it is about to leave. In all other cases no other leader can have been elected for long enough to matter to
   * a lease: a new one gives every lease an election timeout more.
   */
  #leadsForCertain(): boolean {
    const { clock, node, settings } = this.#parts;
    if (this.#soleVoterLeads) return true;
    const lateMs = clock.monotonicMs() - this.#lastTickMs;
    return lateMs <= ticksMissedMax * settings.tickMs && this.#isVoter && node.term !== this.#transferTerm;
  }

  #refused(entries: readonly Entry[], why: ProposeRefusal): void {
    this.metrics.proposalsFailed.inc(entries.length);
    const error = why === "too many uncommitted bytes" ? errors.tooManyRequests : errors.stopped;
    this.#proposals.failEntries(entries, error);
  }

  #tick(): void {
    const { clock, settings, metrics } = this.#parts;
    const nowMs = clock.monotonicMs();
    metrics.loopDelaySeconds.observe(Math.max(0, nowMs - this.#lastTickMs - settings.tickMs) / 1000);
    this.#lastTickMs = nowMs;
    const expired = this.#proposals.expire(nowMs - this.requestTimeoutMs, (startMs) =>
      this.#timeoutError(startMs),
    );
    if (expired > 0) metrics.proposalsFailed.inc(expired);
    this.#hurryFirstElection(nowMs);
    this.#reads.tick(this.requestTimeoutMs);
    this.leases.tick(nowMs);
    this.members.retry();
    this.#clusterVersions.tick(nowMs);
    this.#storage.snapshots.tick(nowMs);
  }

  #timeoutError(startMs: number): EtcdError {
    const { peers, cluster, node } = this.#parts;
    return timeoutError(startMs, {
      peers,
      cluster,
      leader: node.leader,
      leaderSinceMs: this.#leaderSinceMs,
      electionTimeoutMs: this.electionTimeoutMs,
    });
  }

  /** The first election need not wait for a timeout: whoever has found others has heard no leader among them. */
  #hurryFirstElection(nowMs: number): void {
    const { cluster, peers, node, settings } = this.#parts;
    if (nowMs > this.#hurryEndMs) return;
    const found = cluster.members().some(({ id }) => peers.activeSinceMs(id) !== undefined);
    if (!found) return;
    this.#hurryEndMs = 0;
    for (let ticks = settings.electionTicks - 2; ticks > 0; ticks--) node.tick();
  }

  /** Puts the store of a leader's snapshot in the place of this member's. */
  async #install(mark: SnapshotMark): Promise<void> {
    const { stores, lessor, cluster, alarms, logger, settings } = this.#parts;
    logger.info("applying snapshot", { "incoming-leader-snapshot-index": mark.index });
    this.#applyLoop.halt();
    const old = this.#storage;
    await old.halt();
    if (this.#stopping || this.#fatal) return;
    stores.useNext();
    const { current: backend } = stores;
    const store = new MvccStore({ backend, leases: lessor, cacheBytes: settings.cacheBytes });
    await this.#stepped(loadState(store, { cluster, alarms, lessor }));
    this.#storage = this.#makeStorage(backend, store);
    this.watchHub.restore(store);
    this.#receiver.installed();
    this.#membershipChanged();
    this.#applyLoop.resume(mark.index);
    this.#storage.compaction.poke();
    logger.info("applied snapshot", { "incoming-leader-snapshot-index": mark.index });
    const retired = old
      .retire()
      .then(() => stores.removeOld())
      .catch((error: Error) => logger.warn("failed to remove the replaced store", { error: error.message }))
      .finally(() => this.#retiring.delete(retired));
    this.#retiring.add(retired);
  }

  #failed(error: Error): void {
    if (this.#fatal) return;
    this.#fatal = true;
    this.#raftLoop.stop();
    this.#leaderCalls.stop();
    this.#reads.failAll(errors.stopped());
    this.#proposals.failAll(errors.stopped());
    this.#parts.onFatal(error);
  }
}
