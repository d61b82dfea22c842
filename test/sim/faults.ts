/** What goes wrong in a simulation, and how often: each seed has its own mixture. */
import type { Prng } from "../../src/lib/prng.ts";
import type { ClientNetwork } from "./clients/client-network.ts";
import { kindNetwork } from "./world/network.ts";
import type { SimCluster } from "./world/sim-cluster.ts";
import type { SimMember } from "./world/sim-member.ts";

export const faultKinds = [
  "partition",
  "isolate leader",
  "one way",
  "heal",
  "kill",
  "power loss",
  "restart",
  "terminate",
  "freeze",
  "slow disk",
  "disk error",
  "bad network",
  "transfer",
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface FaultPlan {
  /** Between two faults, on average. */
  readonly everyMs: number;
  readonly weights: ReadonlyMap<FaultKind, number>;
}

/** Some kinds are left out, so that what others hide can be seen. */
export function planFaults(random: Prng): FaultPlan {
  const weights = new Map<FaultKind, number>();
  for (const kind of faultKinds) if (random.chance(0.6)) weights.set(kind, 1 + random.below(5));
  // What breaks has to be mended, or nothing happens any more.
  weights.set("heal", 4);
  weights.set("restart", 6);
  return { everyMs: 150 + random.below(1500), weights };
}

/** Of these kinds only, and often. */
export function planOf(kinds: readonly FaultKind[]): FaultPlan {
  const weights = new Map(kinds.map((kind) => [kind, 3] as const));
  return { everyMs: 300, weights: new Map<FaultKind, number>([["heal", 3], ["restart", 4], ...weights]) };
}

export class Faults {
  readonly #cluster: SimCluster;
  readonly #clients: ClientNetwork;
  readonly #random: Prng;
  readonly #plan: FaultPlan;
  readonly counts = new Map<FaultKind, number>();
  #stopped = false;

  constructor(cluster: SimCluster, clients: ClientNetwork, random: Prng, plan: FaultPlan) {
    this.#cluster = cluster;
    this.#clients = clients;
    this.#random = random;
    this.#plan = plan;
  }

  start(): void {
    this.#next();
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  #next(): void {
    this.#cluster.events.after(this.#random.float() * 2 * this.#plan.everyMs, () => {
      if (this.#stopped) return;
      const kind = this.#choose();
      if (this.#inject(kind)) this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
      this.#next();
    });
  }

  /** Nothing goes wrong any more, and what did is mended. */
  stop(): void {
    this.#stopped = true;
    const { network, members } = this.#cluster;
    network.heal();
    network.settings = kindNetwork;
    this.#clients.settings = { lost: 0, minMs: 0.2, maxMs: 1 };
    for (const member of members) {
      member.clock?.thaw();
      Object.assign(member.diskSpeed, kindDisk);
      member.failNextWrite = undefined;
      member.start();
    }
  }

  #choose(): FaultKind {
    const total = [...this.#plan.weights.values()].reduce((sum, weight) => sum + weight, 0);
    let dice = this.#random.below(total);
    for (const [kind, weight] of this.#plan.weights) {
      dice -= weight;
      if (dice < 0) return kind;
    }
    return "heal";
  }

  /** False if there is nothing to do it to. */
  #inject(kind: FaultKind): boolean {
    const { network } = this.#cluster;
    const random = this.#random;
    switch (kind) {
      case "partition":
      case "one way":
        this.#split(kind === "one way");
        return true;
      case "isolate leader":
        return this.#isolate(this.#cluster.leader);
      case "heal":
        if (network.isWhole) return false;
        network.heal();
        return true;
      case "kill":
      case "power loss":
        return this.#crash(kind === "kill" ? "kill" : "power");
      case "restart":
        return this.#restart();
      case "freeze":
        return this.#freeze();
      case "terminate":
        return this.#terminate();
      case "slow disk":
        return this.#slowDisk();
      case "disk error":
        return this.#diskError();
      case "bad network": {
        const bad = random.chance(0.6);
        network.settings = bad
          ? {
              lost: random.float() * 0.1,
              doubled: random.float() * 0.1,
              late: random.float() * 0.1,
              lateMs: 200 + random.below(4_000),
              minMs: 0.2,
              maxMs: 2 + random.below(60),
            }
          : kindNetwork;
        this.#clients.settings = {
          lost: bad ? random.float() * 0.05 : 0,
          minMs: 0.2,
          maxMs: 1 + random.below(20),
        };
        return true;
      }
      case "transfer":
        return this.#transfer();
    }
  }

  #split(isOneWay: boolean): void {
    const { network, members } = this.#cluster;
    network.heal();
    const left = new Set(members.filter(() => this.#random.chance(0.5)));
    for (const from of members) {
      for (const to of members) {
        if (left.has(from) && !left.has(to)) {
          network.cut(from, to);
          if (!isOneWay) network.cut(to, from);
        }
      }
    }
  }

  #isolate(member: SimMember | undefined): boolean {
    if (member === undefined) return false;
    const { network, members } = this.#cluster;
    const both = this.#random.chance(0.6);
    const outwards = this.#random.chance(0.5);
    for (const other of members) {
      if (other === member) continue;
      if (both || outwards) network.cut(member, other);
      if (both || !outwards) network.cut(other, member);
    }
    return true;
  }

  #crash(kind: "kill" | "power"): boolean {
    const { leader, running, events } = this.#cluster;
    const everybody = kind === "power" && this.#random.chance(0.25);
    const victims = everybody
      ? running
      : [
          this.#random.chance(0.4) && leader
            ? leader
            : running.length > 0
              ? this.#random.pick(running)
              : undefined,
        ];
    for (const victim of victims) {
      if (victim === undefined) return false;
      victim.crash(kind);
      // A process that dies is often back at once.
      if (this.#random.chance(0.5)) events.after(this.#random.below(400), () => victim.start());
    }
    return true;
  }

  /** As SIGTERM does: leadership is handed over, and all is written. */
  #terminate(): boolean {
    const { leader, running, events, fatal } = this.#cluster;
    const victim = this.#random.chance(0.6) && leader ? leader : running.find(({ isUp }) => isUp);
    if (victim === undefined) return false;
    victim.stop().then(
      () => events.after(this.#random.below(1_000), () => victim.start()),
      (error: Error) => fatal.push({ member: victim, error }),
    );
    return true;
  }

  /** One operation fails: the process has to end, for it cannot know what is on the disk. */
  #diskError(): boolean {
    const { running } = this.#cluster;
    if (running.length === 0) return false;
    this.#random.pick(running).failNextWrite = this.#random.chance(0.5) ? "EIO" : "ENOSPC";
    return true;
  }

  #restart(): boolean {
    const down = this.#cluster.members.filter(({ isRunning, isGone }) => !isRunning && !isGone);
    if (down.length === 0) return false;
    this.#random.pick(down).start();
    return true;
  }

  #freeze(): boolean {
    const { running, leader, events } = this.#cluster;
    const victim = this.#random.chance(0.5)
      ? leader
      : running.length > 0
        ? this.#random.pick(running)
        : undefined;
    const clock = victim?.clock;
    if (clock === undefined || clock.isFrozen) return false;
    clock.freeze();
    events.after(50 + this.#random.below(5_000), () => clock.thaw());
    return true;
  }

  #slowDisk(): boolean {
    const { running } = this.#cluster;
    if (running.length === 0) return false;
    const slow = this.#random.chance(0.7);
    const speed = slow
      ? { minMs: 0.5, maxMs: 1 + this.#random.below(40), slow: 0.05, slowMs: this.#random.below(3_000) }
      : kindDisk;
    Object.assign(this.#random.pick(running).diskSpeed, speed);
    return true;
  }

  #transfer(): boolean {
    const { leader } = this.#cluster;
    const targets = this.#cluster.members.filter((member) => member !== leader && member.id !== undefined);
    if (leader?.server === undefined || targets.length === 0) return false;
    leader.server.moveLeader(this.#random.pick(targets).id!).catch(() => {});
    return true;
  }
}

const kindDisk = { minMs: 0.1, maxMs: 1, slow: 0, slowMs: 0 };
