/**
 * A cluster in a world that is as unkind as a seed makes it: messages are lost, late, doubled and out of order,
 * networks split, disks are slow, members crash and lose what was not on disk. Meanwhile clients propose and read,
 * members come and go, leadership is handed around, logs are compacted. Checker watches. At the end the world turns
 * kind, and the cluster has to come to rest with equal logs.
 */
import { ConfChangeTransition, type ConfChangeType } from "../confchange/types.ts";
import { Violation } from "./checker.ts";
import { toBytes } from "./machine.ts";
import type { TestMember } from "./member.ts";
import { type SimulationOptions, type SimulationReport, World } from "./world.ts";

export type { SimulationOptions, SimulationReport } from "./world.ts";

export class Simulation {
  readonly #options: SimulationOptions;
  readonly #world: World;
  #proposals = 0;
  #readCount = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#world = new World(options);
  }

  /** Runs to the end. Throws the first Violation, with the seed in its message. */
  run(): SimulationReport {
    try {
      this.#repeat(20, () => this.#client());
      this.#repeat(this.#options.faultMs ?? 400, () => this.#fault());
      this.#world.queue.runUntil(this.#options.seconds * 1000);
      this.#calm();
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      const at = Math.round(this.#world.queue.now);
      throw new Error(`seed ${this.#options.seed}, at ${at} ms: ${what}`, { cause: error });
    }
    this.#world.report.commits = this.#world.checker.commits;
    return this.#world.report;
  }

  // --- the clients -----------------------------------------------------------------------------------------------

  #client(): void {
    const member = this.#world.anyone();
    if (member === undefined) return;
    if (this.#world.prng.chance(0.7)) {
      const count = 1 + this.#world.prng.below(3);
      for (let i = 0; i < count; i++) member.propose(`v${++this.#proposals}`);
    } else {
      const context = toBytes(`r${++this.#readCount}`);
      this.#world.checker.readAsked(context);
      member.node.readIndex(context);
    }
    this.#world.touched(member);
  }

  // --- what goes wrong -------------------------------------------------------------------------------------------

  #fault(): void {
    const roll = this.#world.prng.below(100);
    if (roll < 15) this.#partition();
    else if (roll < 30) this.#world.cut.clear();
    else if (roll < 45) this.#crash();
    else if (roll < 65) this.#restartOne();
    else if (roll < 75) this.#compactOne();
    else if (roll < 82) this.#transfer();
    else if (roll < 95) this.#reconfigure();
    else this.#world.anyone()?.node.forgetLeader();
  }

  #partition(): void {
    this.#world.cut.clear();
    const ids = [...this.#world.members.keys()];
    const side = new Map(ids.map((id) => [id, this.#world.prng.below(2)]));
    const oneWay = this.#world.prng.chance(0.3);
    for (const from of ids) {
      for (const to of ids) {
        const crosses = side.get(from) !== side.get(to);
        if (crosses && (!oneWay || side.get(from) === 0)) this.#world.cut.add(`${from}-${to}`);
      }
    }
  }

  #crash(): void {
    const member = this.#world.prng.chance(0.4) ? this.#world.leader() : this.#world.anyone();
    if (member === undefined) return;
    this.#world.crash(member);
    // A process that dies is often back at once.
    if (this.#world.prng.chance(0.5))
      this.#world.queue.after(this.#world.prng.below(300), () => this.#world.restart(member));
  }

  #restartOne(): void {
    const down = [...this.#world.members.values()].filter((member) => !member.running);
    if (down.length > 0) this.#world.restart(this.#world.prng.pick(down));
  }

  #compactOne(): void {
    const member = this.#world.anyone();
    if (member === undefined || member.core.log.installingSnapshot) return;
    // A store that is written behind: what it holds must be on disk in the log too.
    if (member.machine.index > member.disk.lastIndex || member.machine.index < member.disk.firstIndex) return;
    const { first } = member.core.log;
    const keep = this.#world.prng.below(10);
    member.compact(Math.max(first - 1, member.machine.index - keep));
    this.#world.touched(member);
  }

  #transfer(): void {
    const member = this.#world.leader();
    if (member === undefined) return;
    member.node.transferLeader(this.#world.prng.pick([...this.#world.members.keys()]));
    this.#world.touched(member);
  }

  /** Often several changes in a row, of which a leader may take only the first. */
  #reconfigure(): void {
    do this.#proposeChange();
    while (this.#world.prng.chance(0.5));
  }

  #proposeChange(): void {
    const member = this.#world.leader();
    if (member === undefined || this.#world.members.size === this.#options.size) return;
    const joint = member.node.confState.votersOutgoing.length > 0;
    const count = joint ? 0 : 1 + this.#world.prng.below(3);
    const changes = Array.from({ length: count }, () => ({
      type: this.#world.prng.pick([0, 0, 1, 3]) as ConfChangeType,
      nodeId: this.#world.prng.pick([...this.#world.members.keys()]),
    }));
    // etcd never leaves a cluster without enough voters; neither does this.
    const removed = new Set(changes.filter(({ type }) => type !== 0).map(({ nodeId }) => nodeId));
    if (member.node.confState.voters.filter((id) => !removed.has(id)).length < 2 && count > 0) return;
    const transition = joint
      ? ConfChangeTransition.auto
      : (this.#world.prng.below(3) as ConfChangeTransition);
    member.node.proposeConfChange({ transition, changes, context: new Uint8Array(0) });
    this.#world.touched(member);
  }

  // --- the end ---------------------------------------------------------------------------------------------------

  /** No more faults: a leader has to be found, and everybody has to agree. */
  #calm(): void {
    this.#world.unkind = false;
    this.#world.cut.clear();
    for (const member of this.#world.members.values()) this.#world.restart(member);
    const end = this.#world.queue.now + 30_000;
    while (this.#world.queue.now < end) {
      this.#world.queue.runUntil(this.#world.queue.now + 1000);
      if (this.#agree()) return;
    }
    throw new Violation("liveness", `no agreement after 30 s without faults: ${this.#describe()}`);
  }

  #agree(): boolean {
    const leader = this.#world.leader();
    if (leader === undefined) return false;
    const { confState, lastIndex } = leader.node;
    if (lastIndex !== leader.machine.index || confState.votersOutgoing.length > 0) {
      this.#leaveJoint(leader);
      return false;
    }
    return [...confState.voters, ...confState.learners].every((id) => {
      const { machine } = this.#world.members.get(id)!;
      if (machine.index !== lastIndex) return false;
      if (machine.texts.join() === leader.machine.texts.join()) return true;
      throw new Violation("state machine safety", `${id} and ${leader.id} differ at ${lastIndex}`);
    });
  }

  #leaveJoint(leader: TestMember): void {
    const { transition, context } = { transition: ConfChangeTransition.auto, context: new Uint8Array(0) };
    if (leader.node.confState.votersOutgoing.length === 0) return;
    leader.node.proposeConfChange({ transition, changes: [], context });
    this.#world.touched(leader);
  }

  #describe(): string {
    const lines = [...this.#world.members.values()].map(({ id, node, machine }) => {
      const { role, term, leader, commitIndex, lastIndex } = node;
      return `${id}: ${role} term=${term} leader=${leader} commit=${commitIndex} last=${lastIndex} applied=${machine.index}`;
    });
    return lines.join("; ");
  }

  #repeat(everyMs: number, run: () => void): void {
    const again = () => {
      if (!this.#world.unkind) return;
      run();
      this.#world.queue.after(this.#world.prng.float() * 2 * everyMs, again);
    };
    this.#world.queue.after(everyMs, again);
  }
}
