/** Simulated members that form a cluster, and the world they live in. */

import { createLogger, type Logger } from "../../../src/lib/logger.ts";
import { Prng } from "../../../src/lib/prng.ts";
import { silentLogger } from "../../../src/lib/testing/silent-logger.ts";
import { RawNode } from "../../../src/raft/raw-node.ts";
import type { EtcdServer, EtcdServerSettings } from "../../../src/server/etcd-server.ts";
import { Events } from "./events.ts";
import { Network } from "./network.ts";
import { type MemberHooks, SimMember } from "./sim-member.ts";

export interface SimClusterOptions {
  readonly seed: number;
  /** Founding members. */
  readonly size: number;
  readonly settings?: Partial<EtcdServerSettings>;
  readonly hooks?: Partial<MemberHooks>;
  readonly log?: (line: string) => void;
}

export class SimCluster {
  readonly events = new Events();
  readonly random: Prng;
  readonly network: Network;
  readonly members: SimMember[] = [];
  /** Members that could not go on. */
  readonly fatal: { readonly member: SimMember; readonly error: Error }[] = [];
  readonly #options: SimClusterOptions;

  constructor(options: SimClusterOptions) {
    this.#options = options;
    this.random = new Prng(options.seed);
    this.network = new Network(this.events, new Prng(options.seed, 7));
    const founders = Array.from({ length: options.size }, (_, i) => `m${i + 1}`);
    const initialCluster = new Map(founders.map((name) => [name, [urlOf(name)]]));
    for (const name of founders) this.#make(name, "new", initialCluster);
  }

  startAll(): void {
    for (const member of this.members) member.start();
  }

  /** Makes a member that joins the cluster that it is given. */
  join(name: string, initialCluster: ReadonlyMap<string, readonly string[]>): SimMember {
    return this.#make(name, "existing", initialCluster);
  }

  #make(
    name: string,
    initialClusterState: "new" | "existing",
    initialCluster: ReadonlyMap<string, readonly string[]>,
  ): SimMember {
    const { seed, settings = {}, hooks, log } = this.#options;
    const member = new SimMember(
      {
        name,
        peerUrl: urlOf(name),
        seed: seed * 1009 + this.members.length + 1,
        events: this.events,
        network: this.network,
        logger: log === undefined ? silentLogger : this.#loggerOf(name, log),
        settings,
        initialClusterState,
        hooks: {
          makeNode: (config, start) => new RawNode(config, start),
          wrapWal: (wal) => wal,
          onServer() {},
          onRemoved() {},
          onFatal: (at, error) => this.fatal.push({ member: at, error }),
          findByUrl: (url) => this.members.find((other) => other.peerUrl === url && other.isUp),
          others: (one) => this.members.filter((other) => other !== one),
          ...hooks,
        },
      },
      initialCluster,
    );
    this.members.push(member);
    return member;
  }

  #loggerOf(name: string, log: (line: string) => void): Logger {
    const sink = {
      write: (line: string) => log(`${this.events.nowMs.toFixed(1)} ${name} ${line.trim()}`),
      flush() {},
    };
    return createLogger({ sink, wallMs: () => this.events.nowMs, level: "debug" } as never);
  }

  get running(): SimMember[] {
    return this.members.filter(({ isRunning }) => isRunning);
  }

  get servers(): EtcdServer[] {
    return this.members.flatMap(({ server }) => (server === undefined ? [] : [server]));
  }

  /** Members that believe that they lead; of several the one of the newest term is right. */
  get leader(): SimMember | undefined {
    const leading = this.members.filter(({ server }) => server?.isLeader);
    leading.sort((a, b) => b.server!.raftStatus().term - a.server!.raftStatus().term);
    return leading[0];
  }

  async run(ms: number): Promise<void> {
    await this.events.runUntil(this.events.nowMs + ms);
  }

  /** Lets time pass until something is true. Throws when it is not after `limitMs`. */
  async until(what: string, isTrue: () => boolean, limitMs = 30_000): Promise<void> {
    const endMs = this.events.nowMs + limitMs;
    while (!isTrue()) {
      if (this.fatal.length > 0)
        throw new Error(`${this.fatal[0]!.member.name}: ${this.fatal[0]!.error.stack}`);
      if (this.events.nowMs >= endMs) throw new Error(`not within ${limitMs} ms: ${what}`);
      await this.run(10);
    }
  }
}

export const urlOf = (name: string): string => `http://${name}:2380`;
