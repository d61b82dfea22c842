/**
 * One simulated member: what is on its disks, and the process that uses it while there is one. The process is the real
 * server, with the real log on a simulated disk.
 */
import { DatabaseFile } from "../../../src/bbolt/database-file.ts";
import type { Disk } from "../../../src/lib/disk.ts";
import type { ClusterId, MemberId, RaftIndex } from "../../../src/lib/ids.ts";
import type { Logger } from "../../../src/lib/logger.ts";
import { Metrics } from "../../../src/lib/metrics.ts";
import { Prng } from "../../../src/lib/prng.ts";
import type { Message } from "../../../src/lib/raft-message.ts";
import { type DiskFault, FaultDisk } from "../../../src/lib/testing/fault-disk.ts";
import type { RaftConfig } from "../../../src/raft/config.ts";
import type { RaftStart } from "../../../src/raft/log/start.ts";
import type { RawNode } from "../../../src/raft/raw-node.ts";
import { HealthStatus } from "../../../src/rpc/health.ts";
import { createRoutes } from "../../../src/rpc/services.ts";
import { type BootstrapOptions, bootstrap } from "../../../src/server/bootstrap.ts";
import type { EtcdServer, EtcdServerSettings } from "../../../src/server/etcd-server.ts";
import { ServerMetrics } from "../../../src/server/server-metrics.ts";
import type { GrpcRoutes } from "../../../src/transport/grpc.ts";
import { openWal, walExists } from "../../../src/wal/open.ts";
import type { Wal } from "../../../src/wal/wal.ts";
import type { Events } from "./events.ts";
import { MemberClock } from "./member-clock.ts";
import type { Network, Station } from "./network.ts";
import { SimPeers } from "./sim-peers.ts";
import { emptySlots, openSlots, slotsAfterKill, slotsAfterLoss } from "./sim-slots.ts";

export interface SimMemberOptions {
  readonly name: string;
  readonly peerUrl: string;
  readonly seed: number;
  readonly events: Events;
  readonly network: Network;
  readonly logger: Logger;
  readonly settings: Partial<EtcdServerSettings>;
  readonly initialClusterState: "new" | "existing";
  readonly hooks: MemberHooks;
}

/** What those who check, and those who plant bugs, take part in. */
export interface MemberHooks {
  makeNode(config: RaftConfig, start: RaftStart, member: SimMember): RawNode;
  wrapWal(wal: Wal, member: SimMember): Wal;
  /** A process has its server; it is about to start. */
  onServer(server: EtcdServer, member: SimMember): void;
  onRemoved(member: SimMember): void;
  /** The member's process cannot go on. */
  onFatal(member: SimMember, error: Error): void;
  /** Members that are up, by peer URL, for one that joins. */
  findByUrl(url: string): SimMember | undefined;
  others(member: SimMember): readonly SimMember[];
}

export interface DiskSpeed {
  /** Of a durable write. */
  minMs: number;
  maxMs: number;
  /** The part of writes that take up to `slowMs`. */
  slow: number;
  slowMs: number;
}

const walDir = "log";
const blockBytes = 512;
export const tickMs = 100;
export const electionTicks = 10;

export class SimMember implements Station {
  readonly name: string;
  readonly peerUrl: string;
  readonly #options: SimMemberOptions;
  readonly #random: Prng;
  readonly #keepEntries: number;
  #disk = new FaultDisk();
  #slots = emptySlots();
  /** Processes so far. What belongs to an earlier one does nothing more. */
  incarnation = 0;
  #isRunning = false;
  #peers: SimPeers | undefined;
  clock: MemberClock | undefined;
  server: EtcdServer | undefined;
  routes: GrpcRoutes | undefined;
  id: MemberId | undefined;
  /** It was removed from the cluster, and is gone for good. */
  isGone = false;
  /** `--initial-cluster`: peer URLs by name. */
  initialCluster: ReadonlyMap<string, readonly string[]>;
  /** The error with which the next write to the log fails. */
  failNextWrite: string | undefined;
  readonly diskSpeed: DiskSpeed = { minMs: 0.1, maxMs: 1, slow: 0, slowMs: 0 };

  constructor(options: SimMemberOptions, initialCluster: ReadonlyMap<string, readonly string[]>) {
    this.#options = options;
    this.initialCluster = initialCluster;
    this.name = options.name;
    this.peerUrl = options.peerUrl;
    this.#random = new Prng(options.seed, 1);
    this.#keepEntries = 1 + this.#random.below(40);
  }

  /** Whether its process lives: perhaps it has no server yet. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Whether others reach it. A process that is stopped with SIGSTOP keeps its connections. */
  get isUp(): boolean {
    return this.#isRunning && this.server !== undefined;
  }

  /** Begins a new process. */
  start(): void {
    if (this.#isRunning || this.isGone) return;
    this.#isRunning = true;
    const incarnation = ++this.incarnation;
    const random = this.#random;
    this.clock = new MemberClock({
      events: this.#options.events,
      rate: 0.995 + random.float() * 0.01,
      wallOffsetMs: random.below(20_000) - 10_000,
      lookMs: random.chance(0.5) ? 0.01 : 0.5,
      isAlive: () => this.#isRunning && this.incarnation === incarnation,
    });
    this.#run(incarnation).catch((error: unknown) => {
      if (this.incarnation === incarnation && this.#isRunning)
        this.#options.hooks.onFatal(this, asError(error));
    });
  }

  async #run(incarnation: number): Promise<void> {
    const server = await bootstrap(await this.#bootstrapOptions());
    if (this.incarnation !== incarnation || !this.#isRunning) return;
    this.server = server;
    this.routes = createRoutes(server, new HealthStatus());
    this.#options.network.register(server.cluster.localId, this);
    this.#options.hooks.onServer(server, this);
    this.#knockLater();
    await server.start();
  }

  /** Transports connect to each other now and then, and whoever was removed is told. */
  #knockLater(): void {
    this.clock?.after(500 + this.#random.below(1000), () => {
      const { network, hooks } = this.#options;
      for (const other of hooks.others(this)) {
        if (!other.isUp || network.isCut(this, other) || network.isCut(other, this)) continue;
        if (this.id !== undefined && other.server?.isRemoved(this.id)) this.server?.wasRemoved();
      }
      this.#knockLater();
    });
  }

  /** Loses power, or only its process. */
  crash(kind: "power" | "kill"): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.incarnation++;
    this.server = undefined;
    this.routes = undefined;
    const random = this.#random;
    this.#disk.hook = undefined;
    this.#disk = kind === "power" ? this.#disk.afterPowerLoss(random) : this.#disk.afterKill();
    this.#slots = kind === "power" ? slotsAfterLoss(this.#slots, random) : slotsAfterKill(this.#slots);
  }

  /** Stops as on SIGTERM. */
  async stop(): Promise<void> {
    const { server, incarnation } = this;
    if (server === undefined) return;
    await server.stop();
    if (this.incarnation === incarnation) this.crash("kill");
  }

  receive(message: Message, from: Station): void {
    const { server, clock } = this;
    if (server === undefined) return;
    clock?.run(() => {
      if (server.isRemoved(message.from)) (from as SimMember).tellRemoved();
      else {
        this.#peers?.heardFrom(message.from);
        server.receive(message);
      }
    });
  }

  /** Another member says that this one is removed. */
  tellRemoved(): void {
    const { server, clock } = this;
    clock?.run(() => server?.wasRemoved());
  }

  reportUnreachable(id: MemberId): void {
    const { server, clock } = this;
    clock?.run(() => server?.reportUnreachable(id));
  }

  async receiveSnapshot(message: Message, bytes: Uint8Array): Promise<void> {
    const disk = new FaultDisk();
    disk.put("snap/db", bytes);
    await this.server?.receiveSnapshot({ message, open: () => DatabaseFile.open(disk, "snap/db") });
  }

  // What a process is made of.

  async #bootstrapOptions(): Promise<BootstrapOptions> {
    const { events, logger, settings, hooks, initialClusterState } = this.#options;
    const { incarnation } = this;
    const clock = this.clock!;
    const random = new Prng(this.#options.seed, 1000 + incarnation);
    const isOver = () => this.incarnation !== incarnation || !this.#isRunning;
    const disk = this.#openDisk(isOver);
    const delay = () => this.#delay(isOver);
    return {
      settings: { ...defaultSettings, name: this.name, ...settings },
      clock,
      logger,
      metrics: new ServerMetrics(new Metrics()),
      stores: await openSlots(this.#slots, delay),
      hasLog: await walExists(walDir, disk),
      openLog: (metadata, from) => this.#openLog(disk, metadata, from, random),
      initialClusterState,
      initialCluster: async () => this.initialCluster,
      initialClusterToken: "sim",
      forceNewCluster: false,
      bootstrapTimeoutMs: 1000,
      finder: {
        cluster: (urls) => this.#findCluster(urls),
        versions: (member) => {
          const server = hooks.findByUrl(member.peerUrls[0]!)?.server;
          if (server === undefined) return Promise.reject(new Error("connection refused"));
          return Promise.resolve({
            server: server.versions.server,
            cluster: server.cluster.version ?? "not_decided",
          });
        },
        sameUrls: async (a, b) => a.join() === b.join(),
      },
      connect: ({ localId }) => {
        this.id = localId;
        this.#peers = new SimPeers(this.#options.network, this);
        return this.#peers;
      },
      maxLearners: 2,
      minLeaseTtlSeconds: 2,
      raft: {
        preVote: true,
        keepEntries: this.#keepEntries,
        maxLogBytes: 100_000,
        randomBelow: (bound) => random.below(bound),
      },
      random64: () => (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32)),
      onFatal: (error) => {
        if (!isOver()) hooks.onFatal(this, error);
      },
      onRemoved: () => {
        if (isOver()) return;
        this.isGone = true;
        events.after(0, () => this.crash("kill"));
        hooks.onRemoved(this);
      },
      makeNode: (config, start) => hooks.makeNode(config, start, this),
    };
  }

  async #openLog(disk: Disk, metadata: Uint8Array, from: RaftIndex, random: Prng) {
    const { wal, contents } = await openWal(
      {
        dir: walDir,
        metadata,
        disk,
        clock: this.clock!,
        segmentBytes: 32 * 1024,
        random: () => random.below(2 ** 32),
      },
      from,
    );
    return { wal: this.#options.hooks.wrapWal(wal, this), contents };
  }

  /** The disk as this process has it: everything takes time, and nothing happens once the process is dead. */
  #openDisk(isOver: () => boolean): Disk {
    const disk = this.#disk;
    disk.hook = async ({ kind, position, length }) => {
      if (
        kind === "write" ||
        kind === "writeDurably" ||
        kind === "persist" ||
        kind === "sync" ||
        kind === "syncDir"
      ) {
        await this.#delay(isOver);
      } else if (isOver()) {
        await new Promise(() => {});
      }
      return kind === "write" || kind === "writeDurably" ? this.#fault(position, length) : undefined;
    };
    return disk;
  }

  #fault(position: number, length: number): DiskFault | undefined {
    const code = this.failNextWrite;
    this.failNextWrite = undefined;
    if (code === undefined) return undefined;
    // What there was no room for begins with a block.
    const end = position + this.#random.below(length + 1);
    return { code, writtenBytes: Math.max(0, end - (end % blockBytes) - position) };
  }

  /** Never ends for a process that dies meanwhile. */
  #delay(isOver: () => boolean): Promise<void> {
    const { minMs, maxMs, slow, slowMs } = this.diskSpeed;
    const random = this.#random;
    const delayMs = random.chance(slow) ? random.float() * slowMs : minMs + random.float() * (maxMs - minMs);
    return new Promise((resolve) => {
      this.#options.events.after(delayMs, () => {
        // A disk goes on while a process is stopped, but the process does not hear of it.
        if (!isOver()) this.clock!.run(resolve);
      });
    });
  }

  async #findCluster(urls: readonly string[]) {
    for (const url of urls) {
      const server = this.#options.hooks.findByUrl(url)?.server;
      if (server === undefined || server.cluster.members().length === 0) continue;
      return { id: server.cluster.id as ClusterId, members: server.cluster.members() };
    }
    throw new Error("could not retrieve cluster information from the given URLs");
  }
}

const defaultSettings: EtcdServerSettings = {
  name: "",
  advertiseClientUrls: ["http://client:2379"],
  tickMs,
  electionTicks,
  snapshotCount: 100,
  keepWalSegments: 0,
  maxRequestBytes: 1_572_864,
  maxTxnOps: 128,
  quotaBackendBytes: 0,
  storeLimits: { generationBytes: 3000, generationDelayMs: 50, overlayBytesMax: 20_000 },
  watchProgressIntervalMs: 10_000,
  logBytesMax: 1_000_000,
  cacheBytes: 10_000,
  strictReconfigCheck: true,
  initialElectionTickAdvance: true,
  warningApplyDurationMs: 100,
};

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
