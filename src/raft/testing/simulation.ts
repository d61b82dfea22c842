/**
 * A cluster in a world that is as unkind as a seed makes it: messages are lost, late, doubled and out of order,
 * networks split, disks are slow, members crash and lose what was not on disk. Meanwhile clients propose and read,
 * members come and go, leadership is handed around, logs are compacted. Checker watches. At the end the world turns
 * kind, and the cluster has to come to rest with equal logs.
 */
import { type MemberId, noMember } from "../../lib/ids.ts";
import { Prng } from "../../lib/prng.ts";
import { emptyConfState } from "../../lib/raft-entry.ts";
import { type Message, MessageType } from "../../lib/raft-message.ts";
import { ConfChangeTransition, type ConfChangeType } from "../confchange/types.ts";
import type { RaftConfig } from "../config.ts";
import { Checker, type CheckerOptions, Violation } from "./checker.ts";
import { EventQueue } from "./events.ts";
import { toBytes } from "./machine.ts";
import { type NodeClass, TestMember } from "./member.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** Founding voters. */
  readonly size: number;
  /** Members that may join later. */
  readonly outsiders?: number;
  /** Simulated time with faults, in seconds. */
  readonly seconds: number;
  readonly config?: Partial<RaftConfig>;
  readonly nodeClass?: NodeClass;
  readonly checker?: CheckerOptions;
  /** Milliseconds between two faults, on average. Default 400. */
  readonly faultMs?: number;
  /** How many of a hundred messages are late, by up to three seconds. Default 2. */
  readonly latePercent?: number;
  /** Disks that tell more than is true, for tests of the checkers. */
  readonly disk?: "honest" | "acknowledges early" | "forgets votes";
}

/** What happened, to see that enough did. */
export interface SimulationReport {
  elections: number;
  commits: number;
  reads: number;
  crashes: number;
  lost: number;
  snapshots: number;
  confChanges: number;
}

const tickMs = 100;
const electionTicks = 10;

export class Simulation {
  readonly #options: SimulationOptions;
  readonly #prng: Prng;
  readonly #queue = new EventQueue();
  readonly #members = new Map<MemberId, TestMember>();
  readonly #checker: Checker;
  /** Each crash ends an incarnation; what was scheduled for it no longer happens. */
  readonly #incarnation = new Map<MemberId, number>();
  readonly #processing = new Set<MemberId>();
  readonly #writing = new Set<MemberId>();
  /** Cut links, as "from-to". */
  readonly #cut = new Set<string>();
  readonly #report: SimulationReport = {
    elections: 0,
    commits: 0,
    reads: 0,
    crashes: 0,
    lost: 0,
    snapshots: 0,
    confChanges: 0,
  };
  #unkind = true;
  #proposals = 0;
  #readCount = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#prng = new Prng(options.seed);
    this.#checker = new Checker(this.#members, options.checker);
    const founders = Array.from({ length: options.size }, (_, i) => BigInt(i + 1) as MemberId);
    const confState = { ...emptyConfState, voters: founders };
    for (let i = 1; i <= options.size + (options.outsiders ?? 0); i++) {
      const member = this.#makeMember(BigInt(i) as MemberId);
      member.disk.hardState = { term: 0 as never, vote: noMember, commit: 0 as never };
      member.disk.checkpoint = { index: 0, confState, texts: [] };
      this.#start(member);
    }
  }

  /** Runs to the end. Throws the first Violation, with the seed in its message. */
  run(): SimulationReport {
    try {
      this.#repeat(20, () => this.#client());
      this.#repeat(this.#options.faultMs ?? 400, () => this.#fault());
      this.#queue.runUntil(this.#options.seconds * 1000);
      this.#calm();
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      const at = Math.round(this.#queue.now);
      throw new Error(`seed ${this.#options.seed}, at ${at} ms: ${what}`, { cause: error });
    }
    this.#report.commits = this.#checker.commits;
    return this.#report;
  }

  // --- the members -----------------------------------------------------------------------------------------------

  #makeMember(id: MemberId): TestMember {
    const { config, nodeClass } = this.#options;
    const prng = new Prng(this.#options.seed, Number(id));
    const member = new TestMember({
      config: {
        electionTicks,
        heartbeatTicks: 1,
        randomBelow: (bound) => prng.below(bound),
        keepEntries: 20,
        maxMessageBytes: 200,
        maxInflightMessages: 4,
        maxInflightBytes: 600,
        maxApplyingBytes: 500,
        ...config,
        id,
      },
      send: (message) => this.#send(message),
      hooks: {
        onReady: (who, ready) => this.#checker.onReady(who, ready),
        onPersisted: (who, ready) => this.#checker.onPersisted(who, ready),
        onApply: (who, entry) => {
          if (entry.type !== 0) this.#report.confChanges++;
          this.#checker.onApply(who, entry);
        },
        onRead: (who, read) => {
          this.#report.reads++;
          this.#checker.onRead(who, read);
        },
      },
      ...(nodeClass === undefined ? {} : { nodeClass }),
    });
    this.#members.set(id, member);
    return member;
  }

  #start(member: TestMember): void {
    const { id } = member;
    this.#incarnation.set(id, (this.#incarnation.get(id) ?? 0) + 1);
    this.#processing.delete(id);
    this.#writing.delete(id);
    if (this.#options.disk === "forgets votes" && member.disk.hardState !== undefined) {
      member.disk.hardState = { ...member.disk.hardState, vote: noMember };
    }
    member.restart();
    this.#checker.restarted(member);
    // Clocks differ by up to 3 percent.
    const period = tickMs * (0.97 + this.#prng.float() * 0.06);
    const tick = () => {
      member.node.tick();
      this.#touched(member);
      this.#later(member, period, tick);
    };
    this.#later(member, this.#prng.float() * period, tick);
  }

  /** Runs something on a member unless it has crashed by then. */
  #later(member: TestMember, delayMs: number, run: () => void): void {
    const incarnation = this.#incarnation.get(member.id);
    this.#queue.after(delayMs, () => {
      if (member.running && this.#incarnation.get(member.id) === incarnation) run();
    });
  }

  /** Something happened to a member: look at it, and let it work soon. */
  #touched(member: TestMember): void {
    this.#checker.observe(member);
    if (this.#processing.has(member.id) || !member.node.hasReady()) return;
    this.#processing.add(member.id);
    this.#later(member, this.#prng.float() * 3, () => {
      this.#processing.delete(member.id);
      const { role } = member.node;
      const ready = member.takeReady();
      if (ready.softState?.role === "leader") this.#report.elections++;
      if (ready.snapshot !== undefined) this.#report.snapshots++;
      if (this.#options.disk === "acknowledges early" && ready.token !== 0 && ready.snapshot === undefined) {
        member.node.persisted(ready.token);
      }
      if (role !== member.node.role) this.#checker.observe(member);
      this.#write(member);
      this.#touched(member);
    });
  }

  /** One write at a time, in order. */
  #write(member: TestMember): void {
    if (this.#writing.has(member.id) || member.disk.pending.length === 0) return;
    this.#writing.add(member.id);
    const slow = this.#unkind && this.#prng.chance(0.02);
    this.#later(member, slow ? 300 + this.#prng.below(1500) : 1 + this.#prng.below(15), () => {
      this.#writing.delete(member.id);
      member.persistNext();
      this.#touched(member);
      this.#write(member);
    });
  }

  // --- the network -----------------------------------------------------------------------------------------------

  #send(message: Message): void {
    const copies = this.#unkind && this.#prng.chance(0.03) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const late = this.#unkind && this.#prng.chance((this.#options.latePercent ?? 2) / 100);
      const delay = late ? this.#prng.below(3000) : 1 + this.#prng.below(20);
      // What is late was past the cut before it was made, if it was not cut when it left.
      const cut = late && this.#isCut(message);
      this.#queue.after(delay, () => this.#deliver(message, late ? cut : this.#isCut(message)));
    }
  }

  #isCut({ from, to }: Message): boolean {
    return this.#cut.has(`${from}-${to}`);
  }

  #deliver(message: Message, cut: boolean): void {
    const member = this.#members.get(message.to);
    const lost = cut || (this.#unkind && this.#prng.chance(0.03));
    if (member === undefined || lost || !member.running) {
      this.#report.lost++;
      this.#undelivered(message);
      return;
    }
    member.node.step(message);
    this.#touched(member);
    if (message.type === MessageType.snap) this.#snapshotReport(message, true);
  }

  /** Transports notice some of what they lose; a lost snapshot always. */
  #undelivered(message: Message): void {
    if (message.type === MessageType.snap) this.#snapshotReport(message, false);
    const sender = this.#members.get(message.from);
    if (sender?.running && this.#prng.chance(0.3)) {
      sender.node.reportUnreachable(message.to);
      this.#touched(sender);
    }
  }

  #snapshotReport({ from, to }: Message, ok: boolean): void {
    const sender = this.#members.get(from);
    if (sender === undefined) return;
    this.#later(sender, this.#prng.below(50), () => {
      sender.node.reportSnapshot(to, ok);
      this.#touched(sender);
    });
  }

  // --- the clients -----------------------------------------------------------------------------------------------

  #client(): void {
    const member = this.#anyone();
    if (member === undefined) return;
    if (this.#prng.chance(0.7)) {
      const count = 1 + this.#prng.below(3);
      for (let i = 0; i < count; i++) member.propose(`v${++this.#proposals}`);
    } else {
      const context = toBytes(`r${++this.#readCount}`);
      this.#checker.readAsked(context);
      member.node.readIndex(context);
    }
    this.#touched(member);
  }

  #anyone(): TestMember | undefined {
    const running = [...this.#members.values()].filter((member) => member.running);
    return running.length === 0 ? undefined : this.#prng.pick(running);
  }

  #leader(): TestMember | undefined {
    const leading = [...this.#members.values()].filter(
      (member) => member.running && member.node.role === "leader",
    );
    return leading.length === 0 ? undefined : this.#prng.pick(leading);
  }

  // --- what goes wrong -------------------------------------------------------------------------------------------

  #fault(): void {
    const roll = this.#prng.below(100);
    if (roll < 15) this.#partition();
    else if (roll < 30) this.#cut.clear();
    else if (roll < 45) this.#crash();
    else if (roll < 65) this.#restartOne();
    else if (roll < 75) this.#compactOne();
    else if (roll < 82) this.#transfer();
    else if (roll < 95) this.#reconfigure();
    else this.#anyone()?.node.forgetLeader();
  }

  #partition(): void {
    this.#cut.clear();
    const ids = [...this.#members.keys()];
    const side = new Map(ids.map((id) => [id, this.#prng.below(2)]));
    const oneWay = this.#prng.chance(0.3);
    for (const from of ids) {
      for (const to of ids) {
        const crosses = side.get(from) !== side.get(to);
        if (crosses && (!oneWay || side.get(from) === 0)) this.#cut.add(`${from}-${to}`);
      }
    }
  }

  #crash(): void {
    const member = this.#prng.chance(0.4) ? this.#leader() : this.#anyone();
    if (member === undefined) return;
    this.#report.crashes++;
    member.crash(this.#prng.below(member.disk.pending.length + 1));
    // A process that dies is often back at once.
    if (this.#prng.chance(0.5)) this.#queue.after(this.#prng.below(300), () => this.#restart(member));
  }

  #restartOne(): void {
    const down = [...this.#members.values()].filter((member) => !member.running);
    if (down.length > 0) this.#restart(this.#prng.pick(down));
  }

  #restart(member: TestMember): void {
    if (member.running) return;
    this.#start(member);
    this.#touched(member);
  }

  #compactOne(): void {
    const member = this.#anyone();
    if (member === undefined || member.core.log.installingSnapshot) return;
    // A store that is written behind: what it holds must be on disk in the log too.
    if (member.machine.index > member.disk.lastIndex || member.machine.index < member.disk.firstIndex) return;
    const { first } = member.core.log;
    const keep = this.#prng.below(10);
    member.compact(Math.max(first - 1, member.machine.index - keep));
    this.#touched(member);
  }

  #transfer(): void {
    const member = this.#leader();
    if (member === undefined) return;
    member.node.transferLeader(this.#prng.pick([...this.#members.keys()]));
    this.#touched(member);
  }

  /** Often several changes in a row, of which a leader may take only the first. */
  #reconfigure(): void {
    do this.#proposeChange();
    while (this.#prng.chance(0.5));
  }

  #proposeChange(): void {
    const member = this.#leader();
    if (member === undefined || this.#members.size === this.#options.size) return;
    const joint = member.node.confState.votersOutgoing.length > 0;
    const count = joint ? 0 : 1 + this.#prng.below(3);
    const changes = Array.from({ length: count }, () => ({
      type: this.#prng.pick([0, 0, 1, 3]) as ConfChangeType,
      nodeId: this.#prng.pick([...this.#members.keys()]),
    }));
    // etcd never leaves a cluster without enough voters; neither does this.
    const removed = new Set(changes.filter(({ type }) => type !== 0).map(({ nodeId }) => nodeId));
    if (member.node.confState.voters.filter((id) => !removed.has(id)).length < 2 && count > 0) return;
    const transition = joint ? ConfChangeTransition.auto : (this.#prng.below(3) as ConfChangeTransition);
    member.node.proposeConfChange({ transition, changes, context: new Uint8Array(0) });
    this.#touched(member);
  }

  // --- the end ---------------------------------------------------------------------------------------------------

  /** No more faults: a leader has to be found, and everybody has to agree. */
  #calm(): void {
    this.#unkind = false;
    this.#cut.clear();
    for (const member of this.#members.values()) this.#restart(member);
    const end = this.#queue.now + 30_000;
    while (this.#queue.now < end) {
      this.#queue.runUntil(this.#queue.now + 1000);
      if (this.#agree()) return;
    }
    throw new Violation("liveness", `no agreement after 30 s without faults: ${this.#describe()}`);
  }

  #agree(): boolean {
    const leader = this.#leader();
    if (leader === undefined) return false;
    const { confState, lastIndex } = leader.node;
    if (lastIndex !== leader.machine.index || confState.votersOutgoing.length > 0) {
      this.#leaveJoint(leader);
      return false;
    }
    return [...confState.voters, ...confState.learners].every((id) => {
      const { machine } = this.#members.get(id)!;
      if (machine.index !== lastIndex) return false;
      if (machine.texts.join() === leader.machine.texts.join()) return true;
      throw new Violation("state machine safety", `${id} and ${leader.id} differ at ${lastIndex}`);
    });
  }

  #leaveJoint(leader: TestMember): void {
    const { transition, context } = { transition: ConfChangeTransition.auto, context: new Uint8Array(0) };
    if (leader.node.confState.votersOutgoing.length === 0) return;
    leader.node.proposeConfChange({ transition, changes: [], context });
    this.#touched(leader);
  }

  #describe(): string {
    const lines = [...this.#members.values()].map(({ id, node, machine }) => {
      const { role, term, leader, commitIndex, lastIndex } = node;
      return `${id}: ${role} term=${term} leader=${leader} commit=${commitIndex} last=${lastIndex} applied=${machine.index}`;
    });
    return lines.join("; ");
  }

  #repeat(everyMs: number, run: () => void): void {
    const again = () => {
      if (!this.#unkind) return;
      run();
      this.#queue.after(this.#prng.float() * 2 * everyMs, again);
    };
    this.#queue.after(everyMs, again);
  }
}
