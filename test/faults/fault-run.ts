/** One run: a cluster, clients, watchers and faults for a while, then calm, and what has to hold then. */
import { join } from "node:path";
import { compact, hashKv, status } from "../support/cluster/calls.ts";
import { PeerNetwork } from "../support/cluster/peer-network.ts";
import { ProcessCluster } from "../support/cluster/process-cluster.ts";
import { Random } from "../support/random.ts";
import { eventually } from "../support/report.ts";
import { BulkClient, type Counts, RegisterClient } from "./clients.ts";
import { Faults, longestGaps } from "./faults.ts";
import { readAll } from "./read-all.ts";
import { RegisterKeys } from "./register-keys.ts";
import { Broken, Revisions } from "./revisions.ts";
import { Watcher } from "./watcher.ts";

export interface FaultRunOptions {
  readonly program: string;
  readonly folder: string;
  readonly seed: number;
  readonly minutes: number;
  readonly log: (line: string) => void;
}

export interface FaultRunReport {
  readonly answered: number;
  readonly refused: number;
  readonly unknown: number;
  readonly why: ReadonlyMap<string, number>;
  readonly acknowledgedWrites: number;
  readonly checkedKeys: number;
  readonly checkedCalls: number;
  readonly revision: number;
  readonly watchStreams: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly longestGapMs: number;
  readonly longestGapWithQuorumMs: number;
  readonly hash: string;
}

const registerClients = 12;
const bulkClients = 4;
const registerKeys = 6;
/** Few entries between snapshots, so that members that were away need one. */
const settings = { "snapshot-count": 2_000, "snapshot-catchup-entries": 500 };
const compactEveryMs = 15_000;
/** So many revisions behind the last watcher stay. */
const keptRevisions = 1_000;
const calmMs = 90_000;

export class FaultRun {
  readonly #options: FaultRunOptions;
  readonly #random: Random;
  readonly #revisions = new Revisions();
  readonly #keys = new RegisterKeys(registerKeys);
  readonly #counts: Counts = { answered: 0, refused: 0, unknown: 0, why: new Map(), writesAtMs: [] };
  #fail!: (error: unknown) => void;
  readonly #failed: Promise<never>;

  constructor(options: FaultRunOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined);
  }

  async run(): Promise<FaultRunReport> {
    const { program, folder } = this.#options;
    const network = new PeerNetwork();
    const cluster = await ProcessCluster.start({
      program,
      folder: join(folder, "members"),
      size: 3,
      network,
      settings,
    });
    try {
      return await this.#with(cluster, network);
    } finally {
      await cluster.close();
    }
  }

  async #with(cluster: ProcessCluster, network: PeerNetwork): Promise<FaultRunReport> {
    const { log, minutes } = this.#options;
    const fromMs = performance.now();
    const clients = this.#clients(cluster);
    const running = clients.map((client) => client.run());
    const watchers = this.#watchers(cluster);
    for (const watcher of watchers) void watcher.run();
    const stopCompacting = this.#compactNowAndThen(cluster, watchers);
    const faults = new Faults({ cluster, network, random: this.#random.fork(), log });
    const faultsEnd = faults.run();
    faultsEnd.catch(this.#fail);
    try {
      await this.#orFailure(pause(minutes * 60_000));
      faults.stop();
      await this.#orFailure(faultsEnd);
      log("calm");
      await this.#orFailure(cluster.ready(calmMs));
      await this.#orFailure(pause(3_000)); // clients go on in the mended cluster
    } finally {
      faults.stop();
      stopCompacting();
      for (const client of clients) client.stop();
    }
    const toMs = performance.now();
    await this.#orFailure(Promise.all(running));
    this.#keys.checkAll();
    const hash = await this.#orFailure(this.#atTheEnd(cluster, watchers));
    for (const watcher of watchers) watcher.stop();
    const gaps = longestGaps(this.#counts.writesAtMs, faults.quorumTimes, { fromMs, toMs });
    return {
      ...this.#counts,
      acknowledgedWrites: this.#revisions.acknowledgements,
      checkedKeys: this.#keys.checkedKeys,
      checkedCalls: this.#keys.checkedCalls,
      revision: this.#revisions.newest,
      watchStreams: watchers.reduce((sum, { streams }) => sum + streams, 0),
      faults: faults.counts,
      longestGapMs: gaps.anyMs,
      longestGapWithQuorumMs: gaps.withQuorumMs,
      hash,
    };
  }

  #orFailure<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#failed]);
  }

  #clients(cluster: ProcessCluster): (RegisterClient | BulkClient)[] {
    return Array.from({ length: registerClients + bulkClients }, (_, number) => {
      const options = {
        number,
        urls: () => cluster.urls,
        random: this.#random.fork(),
        revisions: this.#revisions,
        keys: this.#keys,
        counts: this.#counts,
        onBroken: this.#fail,
      };
      return number < registerClients ? new RegisterClient(options) : new BulkClient(options);
    });
  }

  /** One at each member, and one that goes from member to member. */
  #watchers(cluster: ProcessCluster): Watcher[] {
    const random = this.#random.fork();
    const common = { revisions: this.#revisions, onBroken: this.#fail };
    const atMembers = cluster.members.map(
      ({ name, url }) =>
        new Watcher({ ...common, name: `watcher at ${name}`, nextUrl: () => url, streamMs: () => 3_600_000 }),
    );
    const rover = new Watcher({
      ...common,
      name: "roving watcher",
      nextUrl: () => random.pick(cluster.urls),
      streamMs: () => random.between(500, 8_000),
    });
    return [...atMembers, rover];
  }

  #compactNowAndThen(cluster: ProcessCluster, watchers: readonly Watcher[]): () => void {
    let last = 0;
    const timer = setInterval(() => {
      const revision = Math.min(...watchers.map(({ next }) => next)) - keptRevisions;
      if (revision <= last) return;
      last = revision;
      const url = this.#random.pick(cluster.urls);
      compact(url, revision).catch((error: unknown) =>
        this.#options.log(`compaction of ${revision}: ${error}`),
      );
    }, compactEveryMs);
    return () => clearInterval(timer);
  }

  /** Nothing is lost, all watchers have everything, and all members hold the same. */
  async #atTheEnd(cluster: ProcessCluster, watchers: readonly Watcher[]): Promise<string> {
    const revisions = await Promise.all(cluster.urls.map(async (url) => (await readAll(url, 0)).revision));
    const revision = Math.max(...revisions);
    for (const watcher of watchers) {
      await eventually(
        `${watcher.name} is shown revision ${revision} (next is ${watcher.next})`,
        () => watcher.next > revision,
        { timeoutMs: calmMs },
      );
    }
    this.#revisions.checkNothingLost();
    for (const { name, url } of cluster.members) {
      await eventually(`${name} is at ${revision}`, async () => (await status(url)).revision >= revision, {
        timeoutMs: calmMs,
      });
    }
    await this.#sameKeys(cluster, revision);
    const hashes = await Promise.all(cluster.urls.map((url) => hashKv(url, revision)));
    if (new Set(hashes).size > 1) throw new Broken(`HashKV of ${revision} differs: ${hashes.join(", ")}`);
    return hashes[0]!;
  }

  async #sameKeys(cluster: ProcessCluster, revision: number): Promise<void> {
    const wanted = this.#revisions.now;
    for (const { name, url } of cluster.members) {
      const { rows } = await readAll(url, revision);
      const wrong = rows.find(({ key, value, modRevision, version }) => {
        const want = wanted.get(key);
        return want?.value !== value || want.modRevision !== modRevision || want.version !== version;
      });
      if (wrong !== undefined || rows.length !== wanted.size) {
        throw new Broken(
          `${name} holds other keys than watchers were shown: ${rows.length} of ${wanted.size}, ${JSON.stringify(wrong)}`,
        );
      }
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
