/** What goes wrong, from a seed: kills, pauses, cuts between members, several at a time. */
import type { CutKind, PeerNetwork } from "../support/cluster/peer-network.ts";
import type { ClusterMember, ProcessCluster } from "../support/cluster/process-cluster.ts";
import type { Random } from "../support/random.ts";

export interface FaultOptions {
  readonly cluster: ProcessCluster;
  readonly network: PeerNetwork;
  readonly random: Random;
  readonly log: (line: string) => void;
}

/** Something that is wrong now. */
interface Active {
  readonly kind: string;
  readonly untilMs: number;
  readonly member: ClusterMember | undefined;
  mend(): Promise<void> | void;
}

const atOnceMax = 3;
/** A run in which nobody can work says little: after so long without a majority something is mended early. */
const noQuorumMsMax = 3_000;

/** A time during which a majority of members ran and could talk to each other in both directions. */
export interface QuorumTime {
  readonly fromMs: number;
  toMs: number;
}

export class Faults {
  readonly #options: FaultOptions;
  readonly counts = new Map<string, number>();
  readonly quorumTimes: QuorumTime[] = [];
  #active: Active[] = [];
  #stopped = false;

  constructor(options: FaultOptions) {
    this.#options = options;
  }

  /** Until `stop`: begins faults and ends them. */
  async run(): Promise<void> {
    const { random } = this.#options;
    this.#noteQuorum();
    while (!this.#stopped) {
      await pause(random.between(300, 2_500));
      const nowMs = performance.now();
      for (const fault of this.#active.filter(({ untilMs }) => untilMs <= nowMs)) await this.#end(fault);
      if (nowMs - this.#noQuorumSinceMs() > noQuorumMsMax) await this.#end(random.pick(this.#active));
      // Sometimes nothing is wrong for a while.
      if (this.#active.length === 0 && random.chance(0.25)) await pause(random.between(1_000, 4_000));
      if (!this.#stopped && this.#active.length < atOnceMax && random.chance(0.6)) await this.#begin();
    }
    await this.#mendAll();
  }

  stop(): void {
    this.#stopped = true;
  }

  async #mendAll(): Promise<void> {
    for (const fault of [...this.#active]) await this.#end(fault);
    this.#options.network.mendAll();
    this.#noteQuorum();
  }

  async #begin(): Promise<void> {
    const { random, cluster } = this.#options;
    const whole = cluster.members.filter((m) => !this.#active.some(({ member }) => member === m));
    if (whole.length === 0) return;
    const leader = random.chance(0.5) ? await cluster.leader() : undefined;
    const victim = leader && whole.includes(leader) ? leader : random.pick(whole);
    const dice = random.below(100);
    const kind: CutKind = random.chance(0.6) ? "hold" : "reset";
    if (dice < 22) await this.#kill([victim], "kill");
    else if (dice < 25 && this.#active.length === 0) await this.#kill(cluster.members, "kill all");
    else if (dice < 33) await this.#terminate(victim);
    else if (dice < 55) this.#pause(victim);
    else if (dice < 70) this.#isolate(victim, kind);
    else if (dice < 85) this.#cutPair(victim, kind);
    else this.#cutOneWay(victim);
    this.#noteQuorum();
  }

  /** Infinity while there is one. */
  #noQuorumSinceMs(): number {
    return this.#active.length === 0 ? Number.POSITIVE_INFINITY : this.quorumTimes.at(-1)!.toMs;
  }

  #add(kind: string, member: ClusterMember | undefined, longestMs: number, mend: Active["mend"]): void {
    const { random, log } = this.#options;
    const forMs = random.between(200, longestMs);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    log(`${kind} ${member?.name ?? ""} for ${forMs} ms`);
    this.#active.push({ kind, member, untilMs: performance.now() + forMs, mend });
  }

  async #kill(victims: readonly ClusterMember[], kind: string): Promise<void> {
    await Promise.all(victims.map((member) => member.kill()));
    this.#add(kind, victims.length === 1 ? victims[0] : undefined, 6_000, () => this.#restart(victims));
  }

  async #terminate(victim: ClusterMember): Promise<void> {
    await victim.server?.stop(30_000);
    this.#add("terminate", victim, 4_000, () => this.#restart([victim]));
  }

  async #restart(victims: readonly ClusterMember[]): Promise<void> {
    for (const member of victims) if (!member.isUp) await this.#options.cluster.startMember(member);
  }

  #pause(victim: ClusterMember): void {
    victim.pause();
    this.#add("pause", victim, 8_000, () => victim.resume());
  }

  #isolate(victim: ClusterMember, kind: CutKind): void {
    const links = this.#others(victim).flatMap((other) => bothWays(victim, other));
    this.#cut(links, kind);
    this.#add(`isolate (${kind})`, undefined, 8_000, () => this.#mend(links));
  }

  #cutPair(victim: ClusterMember, kind: CutKind): void {
    const links = bothWays(victim, this.#options.random.pick(this.#others(victim)));
    this.#cut(links, kind);
    this.#add(`cut pair (${kind})`, undefined, 8_000, () => this.#mend(links));
  }

  #cutOneWay(victim: ClusterMember): void {
    const { random } = this.#options;
    const inwards = random.chance(0.5);
    const others = random.chance(0.5) ? this.#others(victim) : [random.pick(this.#others(victim))];
    const links = others.map(
      (other) => (inwards ? [other.name, victim.name] : [victim.name, other.name]) as Link,
    );
    this.#cut(links, "hold");
    this.#add(`one way ${inwards ? "in" : "out"}`, undefined, 8_000, () => this.#mend(links));
  }

  #others(member: ClusterMember): ClusterMember[] {
    return this.#options.cluster.members.filter((other) => other !== member);
  }

  #cut(links: readonly Link[], kind: CutKind): void {
    for (const [from, to] of links) this.#options.network.cut(from, to, kind);
  }

  #mend(links: readonly Link[]): void {
    for (const [from, to] of links) this.#options.network.mend(from, to);
  }

  async #end(fault: Active): Promise<void> {
    this.#active = this.#active.filter((other) => other !== fault);
    await fault.mend();
    this.#options.log(`ended: ${fault.kind} ${fault.member?.name ?? ""}`);
    this.#noteQuorum();
  }

  /** Notes since when a majority can work, and until when it could. */
  #noteQuorum(): void {
    const { cluster, network } = this.#options;
    const serving = cluster.members.filter((member) => member.isServing);
    const joined = (a: ClusterMember, b: ClusterMember) => a === b || network.joins(a.name, b.name);
    const isQuorum = serving.some(
      (member) => serving.filter((other) => joined(member, other)).length * 2 > cluster.members.length,
    );
    const last = this.quorumTimes.at(-1);
    const nowMs = performance.now();
    if (isQuorum && (last === undefined || last.toMs !== Number.POSITIVE_INFINITY)) {
      this.quorumTimes.push({ fromMs: nowMs, toMs: Number.POSITIVE_INFINITY });
    } else if (!isQuorum && last?.toMs === Number.POSITIVE_INFINITY) {
      last.toMs = nowMs;
    }
  }
}

type Link = readonly [from: string, to: string];

const bothWays = (a: ClusterMember, b: ClusterMember): Link[] => [
  [a.name, b.name],
  [b.name, a.name],
];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The longest times without a write: in the whole run, and within times that had a quorum. */
export function longestGaps(
  writesAtMs: readonly number[],
  quorumTimes: readonly QuorumTime[],
  run: { readonly fromMs: number; readonly toMs: number },
): { readonly anyMs: number; readonly withQuorumMs: number } {
  const gap = (fromMs: number, toMs: number): number => {
    const within = writesAtMs.filter((at) => at > fromMs && at < toMs);
    let longest = 0;
    let last = fromMs;
    for (const at of [...within, toMs]) {
      longest = Math.max(longest, at - last);
      last = at;
    }
    return longest;
  };
  const times = quorumTimes.map(({ fromMs, toMs }) => gap(fromMs, Math.min(toMs, run.toMs)));
  return { anyMs: gap(run.fromMs, run.toMs), withQuorumMs: Math.max(0, ...times) };
}
