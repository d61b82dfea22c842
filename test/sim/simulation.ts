/**
 * One simulated cluster from one seed: members, clients and faults for a while, then calm, in which everything has to come
 * right again. Whoever checks looks on all the time; the first broken promise ends it.
 */
import { Prng } from "../../src/lib/prng.ts";
import { RawNode } from "../../src/raft/raw-node.ts";
import { BootstrapError } from "../../src/server/bootstrap-error.ts";
import type { EtcdServerSettings } from "../../src/server/etcd-server.ts";
import { WalIoError } from "../../src/wal/wal.ts";
import { History } from "../support/linearizability/history.ts";
import { checkLinearizable } from "../support/linearizability/linearizability.ts";
import { AnswersCheck } from "./check/answers-check.ts";
import { LeaseCheck } from "./check/lease-check.ts";
import { MembersCheck } from "./check/members-check.ts";
import { Truth } from "./check/truth.ts";
import { Violation } from "./check/violation.ts";
import { WatchCheck } from "./check/watch-check.ts";
import { ClientNetwork } from "./clients/client-network.ts";
import { LeaseClient } from "./clients/lease-client.ts";
import { Operator } from "./clients/operator.ts";
import { RangeClient } from "./clients/range-client.ts";
import { KeyPool, RegisterClient } from "./clients/register-client.ts";
import { WatchClient } from "./clients/watch-client.ts";
import type { Workload, WorkloadCounts } from "./clients/workload.ts";
import { type FaultKind, type FaultPlan, Faults, planFaults } from "./faults.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { SimCluster } from "./world/sim-cluster.ts";
import { makeWatchedNode } from "./world/sim-node.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** Founding members: 3 or 5, as the seed says, unless given. */
  readonly size?: number;
  /** Simulated time with faults. Default 20 s. */
  readonly faultyMs?: number;
  readonly plan?: FaultPlan;
  readonly settings?: Partial<EtcdServerSettings>;
  readonly bug?: PlantedBug;
  /** Where members log, with the time in front; nowhere unless given. */
  readonly log?: (line: string) => void;
}

/** What was done, to see that it was enough. */
export interface SimulationReport extends WorkloadCounts {
  readonly seed: number;
  readonly size: number;
  readonly simulatedMs: number;
  readonly events: number;
  readonly entries: number;
  readonly revisions: number;
  readonly elections: number;
  readonly snapshots: number;
  readonly hashesCompared: number;
  readonly watchEvents: number;
  readonly watchCompactions: number;
  readonly leaseRenewals: number;
  readonly leaseExpiries: number;
  readonly histories: number;
  readonly memberChanges: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
}

/** How long the cluster has to come right again. */
const calmLimitMs = 90_000;
const minLeaseTtlSeconds = 2;
/** When a process that ended by itself is started again, once no faults come any more. */
const restartMs = 500;

export class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: Prng;
  readonly #cluster: SimCluster;
  readonly #truth = new Truth(minLeaseTtlSeconds);
  readonly #members: MembersCheck;
  readonly #leases: LeaseCheck;
  readonly #history = new History();
  readonly #workload: Workload;
  readonly #faults: Faults;
  readonly #watches: WatchClient[] = [];
  #operator: Operator | undefined;
  readonly #counts: WorkloadCounts = { answered: 0, failed: 0, unknown: 0 };
  #failure: unknown;
  #isOver = false;
  #snapshots = 0;

  constructor(options: SimulationOptions) {
    const { seed, bug, log } = options;
    this.#options = options;
    this.#random = new Prng(seed, 3);
    const size = options.size ?? (this.#random.chance(0.6) ? 3 : 5);
    this.#cluster = new SimCluster({
      seed,
      size,
      settings: { ...this.#randomSettings(), ...options.settings },
      ...(log === undefined ? {} : { log }),
      hooks: {
        makeNode: (config, start, member) =>
          makeWatchedNode(bug?.nodeClass ?? RawNode, config, start, {
            onReady: (node, ready) => {
              if (ready.snapshot !== undefined) this.#snapshots++;
              this.#check(() => this.#members.onReady(node, ready));
            },
            onCommitted: (entries) => this.#check(() => this.#members.onCommitted(member, entries)),
            onApplied: (index) => this.#check(() => this.#members.onApplied(member, index)),
          }),
        wrapWal: (wal, member) => bug?.wrapWal?.(wal, member) ?? wal,
        onServer: (server, member) => bug?.onServer?.(server, member),
        onFatal: (member, error) => {
          // One that joins may come too late, or too early; it is tried again. And who cannot write has to stop.
          const mayEnd =
            error instanceof WalIoError || (error instanceof BootstrapError && member.id === undefined);
          if (mayEnd) {
            member.crash("kill");
            // A write that failed earlier may only be found out now, and nobody else would start it again. Later, because
            // one that cannot join fails again at once, and no time would go by.
            if (this.#faults.isStopped) this.#cluster.events.after(restartMs, () => member.start());
            return;
          }
          this.#fail(
            error instanceof Violation ? error : new Violation("alive", `${member.name}: ${error.stack}`),
          );
        },
      },
    });
    const { events } = this.#cluster;
    this.#members = new MembersCheck(this.#truth, () => events.nowMs);
    this.#leases = new LeaseCheck(this.#truth);
    const network = new ClientNetwork(events, new Prng(seed, 4));
    this.#workload = {
      cluster: this.#cluster,
      network,
      random: new Prng(seed, 5),
      truth: this.#truth,
      history: this.#history,
      answers: new AnswersCheck(this.#truth),
      leases: this.#leases,
      fail: (error) => this.#fail(error),
      isOver: () => this.#isOver,
      pauseMs: 5 + this.#random.below(60),
      counts: this.#counts,
    };
    this.#faults = new Faults(
      this.#cluster,
      network,
      new Prng(seed, 6),
      options.plan ?? planFaults(new Prng(seed, 8)),
    );
  }

  /** Runs to the end. Rejects with the first broken promise. */
  async run(): Promise<SimulationReport> {
    const { seed, faultyMs = 20_000 } = this.#options;
    try {
      this.#cluster.startAll();
      this.#startClients();
      this.#faults.start();
      this.#lookOften();
      await this.#runUntil(faultyMs);
      await this.#calm();
      this.#checkHistories();
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      const at = `seed ${seed}, at ${this.#cluster.events.nowMs.toFixed(0)} ms`;
      throw new Error(`${at}: ${what}\n  replay: npm run sim -- --seed ${seed} --seeds 1`, { cause: error });
    } finally {
      this.#isOver = true;
    }
    return this.#report();
  }

  #randomSettings(): Partial<EtcdServerSettings> {
    const random = this.#random;
    return {
      snapshotCount: 10 + random.below(200),
      strictReconfigCheck: random.chance(0.3),
      storeLimits: {
        generationBytes: 200 + random.below(4_000),
        generationDelayMs: 10 + random.below(200),
        overlayBytesMax: 4_000 + random.below(20_000),
      },
    };
  }

  #startClients(): void {
    const workload = this.#workload;
    const pool = new KeyPool(3 + this.#random.below(4));
    const count = 3 + this.#random.below(5);
    for (let i = 1; i <= count; i++) new RegisterClient(workload, pool, i).start();
    for (let i = 1; i <= 2; i++) new RangeClient(workload, 100 + i, { compacts: i === 1 }).start();
    for (let i = 1; i <= 2; i++) new LeaseClient(workload, 200 + i).start();
    if (this.#random.chance(0.5)) {
      this.#operator = new Operator(workload, 100 + this.#random.below(1_500));
      this.#operator.start();
    }
    const ranges = [
      { from: "a", to: "z" },
      { from: "r/", to: "r0" },
      { from: "s/c", to: "s/h" },
      { from: "l/", to: "l0" },
    ];
    for (const [i, range] of ranges.entries()) {
      const check = new WatchCheck(this.#truth, `watcher ${i}`, range, 2);
      const watch = new WatchClient(workload, check);
      this.#watches.push(watch);
      watch.start();
    }
  }

  #lookOften(): void {
    this.#cluster.events.after(300, () => {
      if (this.#isOver) return;
      this.#check(() => this.#members.compare(this.#cluster.members));
      this.#check(() => this.#leases.look());
      this.#lookOften();
    });
  }

  #check(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
  }

  async #runUntil(endMs: number): Promise<void> {
    const { events } = this.#cluster;
    while (events.nowMs < endMs) {
      await events.runUntil(Math.min(endMs, events.nowMs + 20));
      if (this.#failure !== undefined) throw this.#failure;
    }
  }

  /** No more faults: all members have to agree, all watchers to have everything, and everything to be readable. */
  async #calm(): Promise<void> {
    const { events } = this.#cluster;
    this.#faults.stop();
    this.#operator?.beCalm();
    const calmMs = events.nowMs;
    const reader = new RegisterClient(this.#workload, new KeyPool(1), 999);
    let isRead = false;
    reader.readAll().then(
      () => {
        isRead = true;
      },
      (error: unknown) => this.#fail(error),
    );
    await this.#runUntil(calmMs + 3_000);
    while (!isRead) await this.#waited(calmMs, "all keys to be read");
    // Nobody renews leases any more, so all of them end.
    this.#isOver = true;
    while (this.#truth.leases.size > 0) await this.#waited(calmMs, "all leases to end");
    this.#leases.look();
    while (!this.#hasComeToRest()) await this.#waited(calmMs, this.#whyNotAtRest());
    for (const member of this.#cluster.running) this.#members.compareWithTruth(member);
    this.#members.compare(this.#cluster.members);
  }

  async #waited(sinceMs: number, forWhat: string): Promise<void> {
    const { events } = this.#cluster;
    if (events.nowMs - sinceMs > calmLimitMs)
      throw new Violation("liveness", `waited in vain for ${forWhat}`);
    await this.#runUntil(events.nowMs + 200);
  }

  #hasComeToRest(): boolean {
    return this.#whyNotAtRest() === "";
  }

  #whyNotAtRest(): string {
    const { members } = this.#cluster;
    for (const { name, peerUrl, server, id, isGone } of members) {
      // One that never found the cluster may have been removed from it before it was started.
      const isNone = id === undefined && this.#operator?.isMember(peerUrl) === false;
      if (isGone || isNone) continue;
      const applied = server?.raftStatus().appliedIndex;
      if (applied !== this.#truth.index) return `${name} to apply ${this.#truth.index} (it is at ${applied})`;
    }
    const missing = this.#operator?.missing;
    if (missing !== undefined) return missing;
    const behind = this.#watches.findIndex(({ check }) => !check.isComplete);
    return behind < 0 ? "" : `watcher ${behind} to get everything`;
  }

  #checkHistories(): void {
    for (const key of this.#history.keys) {
      const verdict = checkLinearizable(this.#history.of(key));
      if (verdict.kind !== "impossible") continue;
      const stuck = verdict.stuck
        .map(({ client, op, startMs, endMs, result }) =>
          JSON.stringify({ client, op, startMs, endMs, result }),
        )
        .join("\n    ");
      throw new Violation("linearizable", `calls to ${key} cannot have happened in any order:\n    ${stuck}`);
    }
  }

  #report(): SimulationReport {
    const checks = this.#watches.map(({ check }) => check);
    const sum = (of: (check: WatchCheck) => number) => checks.reduce((total, check) => total + of(check), 0);
    return {
      ...this.#counts,
      seed: this.#options.seed,
      size: this.#cluster.members.length,
      simulatedMs: this.#cluster.events.nowMs,
      events: this.#cluster.events.count,
      entries: this.#truth.index,
      revisions: this.#truth.revision,
      elections: this.#members.elections,
      snapshots: this.#snapshots,
      hashesCompared: this.#members.hashesCompared,
      watchEvents: sum(({ events }) => events),
      watchCompactions: sum(({ compactions }) => compactions),
      leaseRenewals: this.#leases.renewals,
      leaseExpiries: this.#leases.expiries,
      histories: [...this.#history.keys].length,
      memberChanges: this.#operator?.changes ?? 0,
      faults: this.#faults.counts,
    };
  }
}
