/**
 * How the parts of a member are tied together: who hears of what, how it starts and stops, and the way that requests take
 * through it. What the services ask besides is in etcd-server.ts.
 */
import type { EtcdError } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import type { Lessor } from "../lease/lessor.ts";
import { type MemberId, noMember, type RaftIndex, type Term } from "../lib/ids.ts";
import type { SnapshotMark } from "../lib/raft-entry.ts";
import { type Message, MessageType } from "../lib/raft-message.ts";
import type { Steps } from "../lib/steps.ts";
import { TurnClock } from "../lib/turn-clock.ts";
import type { Cluster } from "../membership/cluster.ts";
import { formatId } from "../membership/member.ts";
import type { MvccStore } from "../mvcc/store.ts";
import { WatchHub } from "../mvcc/watch/watch-hub.ts";
import type { SoftState } from "../raft/ready.ts";
import { Applier } from "./apply/applier.ts";
import type { ApplyContext } from "./apply/apply-context.ts";
import { ApplyLoop } from "./apply-loop.ts";
import { ApplyTimer } from "./apply-timer.ts";
import { Authentication } from "./auth/authentication.ts";
import { noticeLateHeartbeats } from "./late-heartbeats.ts";
import { Leadership } from "./leadership.ts";
import { LeaseCalls } from "./lease-calls.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { LinearizableReads } from "./linearizable-reads.ts";
import { MemberStorage } from "./member-storage.ts";
import { type ClusterParts, makeClusterParts } from "./members/cluster-parts.ts";
import type { MemberChanges } from "./members/member-changes.ts";
import { publish } from "./members/publisher.ts";
import { type ProposedRequest, Proposer } from "./proposer.ts";
import { RaftLoop } from "./raft-loop.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import { type EtcdServerParts, electionTimeoutMs, requestTimeoutMs } from "./server-parts.ts";
import { type Gate, Slices } from "./slices.ts";
import { SlowTraces } from "./slow-traces.ts";
import type { IncomingSnapshot } from "./snapshot/receive-snapshot.ts";
import { costOf } from "./space-quota.ts";
import { etcdVersion } from "./versions.ts";
import { WatchDriver } from "./watch-driver.ts";

/** A member that was removed goes on for so long, so that whoever removed it through it has an answer. */
const removedGraceMs = 1000;

const ignore = () => {};
const never = () => false;

export class ServerCore {
  readonly cluster: Cluster;
  readonly lessor: Lessor;
  readonly slices: Slices;
  readonly turnClock: TurnClock;
  readonly watchHub: WatchHub;
  readonly metrics: ServerMetrics;
  readonly auth: Authentication;
  /** The store in use. Another one after a leader's snapshot was installed, so nobody keeps it. */
  store: MvccStore;
  /** False while there is any reason to refuse calls that others serve: for a learner, and without a leader. */
  servesAll = false;
  /** The leader's clock of leases, for keep-alives. */
  readonly leases: LeaseKeeper;
  /** Changes of the membership. */
  readonly members: MemberChanges;
  readonly slowTraces: SlowTraces;
  protected readonly parts: EtcdServerParts;
  protected readonly clusterParts: ClusterParts;
  protected readonly leaseCalls: LeaseCalls;
  protected readonly storage: MemberStorage;
  readonly #leadership: Leadership;
  readonly #proposer: Proposer;
  #applyContext: ApplyContext | undefined;
  readonly #applyLoop: ApplyLoop;
  readonly #raftLoop: RaftLoop;
  readonly #reads: LinearizableReads;
  readonly #watches: WatchDriver;
  #isLearner = false;
  #fatal = false;
  #stopping = false;
  #removed = false;
  #lastTickMs = 0;

  constructor(parts: EtcdServerParts) {
    this.parts = parts;
    const { clock, cluster, node, lessor } = parts;
    this.cluster = cluster;
    this.lessor = lessor;
    this.metrics = parts.metrics;
    this.slices = new Slices(clock);
    this.turnClock = new TurnClock(clock);
    this.store = parts.store;
    this.watchHub = new WatchHub(parts.store);
    this.#leadership = new Leadership(parts);
    this.slowTraces = new SlowTraces({ ...parts, revision: () => this.store.revision });
    this.#proposer = new Proposer({
      parts,
      metrics: this.metrics,
      turnClock: this.turnClock,
      leadership: this.#leadership,
      raftLoop: () => this.#raftLoop,
      isStopped: () => this.isStopped,
      slowTraces: this.slowTraces,
    });
    this.storage = this.#makeStorage();
    this.auth = new Authentication(parts, {
      appliedIndex: () => this.#applyLoop.applied,
      onBegun: () => this.#leadershipChanged(),
    });
    this.#applyLoop = this.#makeApplyLoop();
    this.#raftLoop = this.#makeRaftLoop();
    this.#reads = new LinearizableReads({
      node,
      applyLoop: this.#applyLoop,
      clock,
      process: () => this.#raftLoop.process(),
      soleVoterLeads: () => this.#leadership.soleVoterLeads,
      random64: parts.random64,
      metrics: this.metrics,
    });
    this.#watches = new WatchDriver({
      hub: this.watchHub,
      clock,
      runSteps: (steps, done, failed) => this.runSteps(steps, done, failed, never),
      onFatal: (error) => this.#failed(error),
    });
    this.clusterParts = this.#makeClusterParts();
    this.members = this.clusterParts.changes;
    this.leases = this.#makeLeases();
    this.leaseCalls = this.#makeLeaseCalls();
  }

  #makeStorage(): MemberStorage {
    return new MemberStorage({
      parts: this.parts,
      slices: this.slices,
      raftLoop: () => this.#raftLoop,
      propose: (request, done) => this.#proposer.propose(request, done),
      isStopped: () => this.isStopped,
      onFatal: (error) => this.#failed(error),
    });
  }

  #makeApplyLoop(): ApplyLoop {
    const { clock, logger, node, cluster, lessor, alarms, settings } = this.parts;
    const { metrics } = this;
    const timer = new ApplyTimer({ metrics, logger, warnAfterMs: settings.warningApplyDurationMs });
    const context: ApplyContext = {
      store: this.store,
      lessor,
      cluster,
      alarms,
      auth: this.auth,
      proposals: this.#proposer.pending,
      logger,
      monotonicMs: () => clock.monotonicMs(),
      hasSpaceFor: (field, request) => this.storage.quota.hasSpaceFor(costOf(field, request)),
      onNoSpace: (then) => this.storage.quota.raiseAlarm(then),
      applyConfChange: (change) => node.applyConfChange(change),
      onMembershipChange: () => this.#membershipChanged(),
      onLeaderEntry: (term) => this.#leaderEntryApplied(term),
      onCompaction: (revision, previous) => this.storage.current.hashes.scheduled(revision, previous),
      onLeaseRevoked: (id) => this.leases.revoked(id),
      onApplied: (field, request, error, result) => {
        metrics.countApplied(field, request, error, result);
        timer.add(field, request, error);
      },
    };
    this.#applyContext = context;
    const applier = new Applier(context);
    return new ApplyLoop(node.appliedIndex, {
      clock,
      apply: (entry) => applier.apply(entry),
      timer,
      entriesPerLook: timer.entriesPerLook,
      onApplied: (index) => this.#applied(index),
      onFatal: (error) => this.#failed(error),
    });
  }

  #makeRaftLoop(): RaftLoop {
    const { settings, clock, node, wal } = this.parts;
    return new RaftLoop({
      node,
      wal,
      clock,
      tickMs: settings.tickMs,
      hasRoom: () => this.storage.current.writer.hasRoom,
      onCommitted: (entries) => this.#applyLoop.push(entries),
      onReadState: (index, context) => this.#reads.confirmed(index, context),
      onSoftState: (state) => this.#softStateChanged(state),
      onRefused: (entries, why) => this.#proposer.refused(entries, why),
      onSent: (entries, term) => this.#proposer.sent(entries, term),
      isWanted: (entry) => this.#proposer.isWanted(entry),
      onTick: () => this.#tick(),
      send: (messages) => this.#send(messages),
      onSnapshot: ({ metadata }) => this.storage.accept(metadata),
      install: ({ metadata }) => this.#install(metadata),
      onFatal: (error) => this.#failed(error),
    });
  }

  #makeClusterParts(): ClusterParts {
    const { node } = this.parts;
    return makeClusterParts({
      parts: this.parts,
      proposals: this.#proposer.pending,
      whenCaughtUp: (run) => this.#applyLoop.whenApplied(node.commitIndex, run),
      process: () => this.#raftLoop.process(),
      transfer: (target) => {
        this.#leadership.handingOver();
        this.#raftLoop.tell(() => node.transferLeader(target));
      },
      isLeader: () => this.isLeader,
      propose: (proposal) => this.propose(proposal, ignore),
    });
  }

  #makeLeases(): LeaseKeeper {
    const { settings, clock, logger, lessor, metrics } = this.parts;
    return new LeaseKeeper({
      lessor,
      clock,
      logger: logger.at("server/lease-keeper.ts"),
      extendMs: electionTimeoutMs(settings),
      proposeHere: (field, bytes, request, done) =>
        this.#proposer.proposeHere({ field, bytes, request, caller: this.auth.asRoot }, done),
      confirmLeadership: (then, failed) => this.#confirmLeadership(then, failed),
      isActive: () => settings.renewsAtOnce !== false && this.#leadership.leadsForCertain(this.#lastTickMs),
      renewElsewhere: (id, done) => this.leaseCalls.renew(id, done),
      runSteps: (steps) => this.runSteps(steps, ignore, (error) => this.#failed(error), never),
      onExpired: () => metrics.leasesExpired.inc(),
      onRenewed: () => metrics.leasesRenewed.inc(),
    });
  }

  #makeLeaseCalls(): LeaseCalls {
    return new LeaseCalls({
      parts: this.parts,
      leaderCalls: this.clusterParts.leaderCalls,
      store: () => this.store,
      linearizable: (ready, failed) => this.linearizable(ready, failed),
      stepped: (steps) => this.stepped(steps),
      keepAliveHere: (id, done) => this.leases.keepAliveHere(id, done),
    });
  }

  /** Starts Raft. Resolves when this member is part of the cluster and has told its name and client URLs. */
  start(): Promise<void> {
    const { node, cluster, clock, logger, remotes, settings } = this.parts;
    this.#lastTickMs = clock.monotonicMs();
    this.#leadership.start(this.#lastTickMs);
    this.clusterParts.peerSet.addRemotes(remotes);
    this.#membershipChanged();
    this.#raftLoop.start();
    this.#raftLoop.process();
    const { voters, votersOutgoing } = node.confState;
    if (votersOutgoing.length === 0 && voters.length === 1 && voters[0] === cluster.localId) {
      node.campaign();
      this.#raftLoop.process();
    }
    this.storage.current.compaction.poke();
    this.storage.quota.announce();
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
    this.auth.stop();
    this.clusterParts.leaderCalls.stop();
    this.#reads.failAll(errors.stopped());
    this.#proposer.failAll();
    this.#raftLoop.stop();
    await this.storage.stop({ flush: !this.#fatal, beforeClose: () => this.#applyLoop.halt() });
  }

  async #handOver(): Promise<void> {
    if (this.isLeader) await this.leases.writeDown();
    await this.clusterParts.transfer.beforeStop(electionTimeoutMs(this.parts.settings));
  }

  #withinOneSecond(work: Promise<void>): Promise<void> {
    const timeout = new Promise<void>((resolve) => {
      this.parts.clock.after(1000, resolve);
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
    return this.cluster.isRemoved(id) && id !== this.parts.node.leader;
  }

  /** A snapshot. Resolves when the file is no longer needed; rejects when it could not be used. */
  receiveSnapshot(snapshot: IncomingSnapshot): Promise<void> {
    return this.storage.receive(snapshot);
  }

  /** A message to this member was lost. */
  reportUnreachable(id: MemberId): void {
    this.#raftLoop.tell((node) => node.reportUnreachable(id));
  }

  /** This member is no longer in the cluster: applied here, or told by another. */
  wasRemoved(): void {
    if (this.#removed) return;
    this.#removed = true;
    const { clock, logger, onRemoved } = this.parts;
    clock.after(removedGraceMs, () => {
      if (this.#stopping) return;
      logger.warn("server error", {
        error: "the member has been permanently removed from the cluster",
      });
      logger.warn("data-dir used by this member must be removed");
      onRemoved();
    });
  }

  // The way of a request.

  propose<Result>(
    request: ProposedRequest,
    done: (error: EtcdError | undefined, result?: Result) => void,
  ): void {
    const { quota } = this.storage;
    if (quota.hasSpaceFor(costOf(request.field, request.request))) this.#proposer.propose(request, done);
    else quota.raiseAlarm(() => done(errors.noSpace()));
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
    gate?: Gate,
  ): void {
    this.slices.run(steps, done, failed, isCancelled, gate);
  }

  protected stepped<T>(steps: Steps<T>): Promise<T> {
    return new Promise((resolve, reject) => this.runSteps(steps, resolve, reject, never));
  }

  /** Whether this member takes no more requests. */
  protected get isStopped(): boolean {
    return this.#stopping || this.#fatal;
  }

  get isLeader(): boolean {
    return this.#leadership.isLeader;
  }

  /** Whether this member is one that does not vote. */
  get isLearner(): boolean {
    return this.#isLearner;
  }

  get pendingProposals(): number {
    return this.#proposer.pending.count;
  }

  protected get appliedIndex(): RaftIndex {
    return this.#applyLoop.applied;
  }

  // What the parts tell.

  #applied(index: RaftIndex): void {
    this.#raftLoop.applied(index);
    this.#watches.applied();
    this.storage.current.writer.applied();
  }

  #send(messages: readonly Message[]): void {
    const { peers } = this.parts;
    const isSnapshot = ({ type }: Message) => type === MessageType.snap;
    if (!messages.some(isSnapshot)) {
      peers.send(messages);
      return;
    }
    peers.send(messages.filter((message) => !isSnapshot(message)));
    for (const message of messages.filter(isSnapshot)) this.storage.send(message);
  }

  #softStateChanged(state: SoftState): void {
    this.#leadership.heard(state);
    this.#leadershipChanged();
    if (state.leader === noMember) return;
    this.#reads.leaderChanged();
    this.members.retry();
  }

  #leaderEntryApplied(term: Term): void {
    if (!this.#leadership.entryApplied(term)) return;
    this.#leadershipChanged();
    if (!this.isLeader || term !== this.parts.node.term) return;
    this.leases.promote();
    this.clusterParts.versions.begin();
  }

  #membershipChanged(): void {
    const { cluster } = this;
    this.clusterParts.peerSet.sync();
    this.#isLearner = cluster.isLearner;
    this.#leadershipChanged();
    if (cluster.isRemoved(cluster.localId)) this.wasRemoved();
  }

  #leadershipChanged(): void {
    this.#leadership.update();
    this.servesAll = !this.#isLearner && this.parts.node.leader !== noMember && !this.auth.isAwaited;
    if (!this.isLeader) this.leases.demote();
  }

  /** Calls `then` when a quorum has agreed, since this was called, that somebody leads, and this member still does. */
  #confirmLeadership(then: () => void, failed: (error: EtcdError) => void): void {
    const { term } = this.parts.node;
    const ready = () => (this.#leadership.confirmed(term) ? then() : failed(errors.notLeader()));
    this.linearizable(ready, failed);
  }

  #tick(): void {
    const { clock, settings, metrics } = this.parts;
    const nowMs = clock.monotonicMs();
    metrics.loopDelaySeconds.observe(Math.max(0, nowMs - this.#lastTickMs - settings.tickMs) / 1000);
    if (this.isLeader) noticeLateHeartbeats(this.parts, nowMs - this.#lastTickMs);
    this.#leadership.doubtWhenLate(nowMs, this.#lastTickMs);
    this.#lastTickMs = nowMs;
    this.#proposer.tick(nowMs);
    this.#leadership.hurryFirstElection(nowMs);
    this.#reads.tick(requestTimeoutMs(settings));
    this.leases.tick(nowMs);
    this.members.retry();
    this.clusterParts.versions.tick(nowMs);
    this.clusterParts.stalledLog.tick(nowMs);
    this.storage.current.snapshots.tick(nowMs);
  }

  /** Puts the store of a leader's snapshot in the place of this member's. */
  async #install(mark: SnapshotMark): Promise<void> {
    const { logger } = this.parts;
    this.metrics.snapshotBeingApplied.set(1);
    logger.info("applying snapshot", { "incoming-leader-snapshot-index": mark.index });
    this.#applyLoop.halt();
    await this.storage.replace((store) => {
      this.store = store;
      this.#applyContext!.store = store;
      this.watchHub.restore(store);
      this.auth.restored();
      this.storage.installed();
      this.#membershipChanged();
      this.#applyLoop.resume(mark.index);
      this.storage.current.compaction.poke();
      this.metrics.snapshotBeingApplied.set(0);
      logger.info("applied snapshot", { "incoming-leader-snapshot-index": mark.index });
    });
  }

  #failed(error: Error): void {
    if (this.#fatal) return;
    this.#fatal = true;
    this.#raftLoop.stop();
    this.clusterParts.leaderCalls.stop();
    this.#reads.failAll(errors.stopped());
    this.#proposer.failAll();
    this.parts.onFatal(error);
  }
}
