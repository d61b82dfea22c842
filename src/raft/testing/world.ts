/**
 * The world of a simulated cluster: its members, their clocks and disks, the network between them, all from one seed
 * and watched by a Checker. What is done to it is in simulation.ts.
 */
import { type MemberId, noMember } from "../../lib/ids.ts";
import { Prng } from "../../lib/prng.ts";
import { emptyConfState } from "../../lib/raft-entry.ts";
import { type Message, MessageType } from "../../lib/raft-message.ts";
import type { RaftConfig } from "../config.ts";
import { Checker, type CheckerOptions } from "./checker.ts";
import { EventQueue } from "./events.ts";
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

export class World {
  readonly #options: SimulationOptions;
  readonly prng: Prng;
  readonly queue = new EventQueue();
  readonly members = new Map<MemberId, TestMember>();
  readonly checker: Checker;
  /** Cut links, as "from-to". */
  readonly cut = new Set<string>();
  /** While false nothing goes wrong by itself any more. */
  unkind = true;
  readonly report: SimulationReport = {
    elections: 0,
    commits: 0,
    reads: 0,
    crashes: 0,
    lost: 0,
    snapshots: 0,
    confChanges: 0,
  };
  /** Each crash ends an incarnation; what was scheduled for it no longer happens. */
  readonly #incarnation = new Map<MemberId, number>();
  readonly #processing = new Set<MemberId>();
  readonly #writing = new Set<MemberId>();

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.prng = new Prng(options.seed);
    this.checker = new Checker(this.members, options.checker);
    const founders = Array.from({ length: options.size }, (_, i) => BigInt(i + 1) as MemberId);
    const confState = { ...emptyConfState, voters: founders };
    for (let i = 1; i <= options.size + (options.outsiders ?? 0); i++) {
      const member = this.#makeMember(BigInt(i) as MemberId);
      member.disk.hardState = { term: 0 as never, vote: noMember, commit: 0 as never };
      member.disk.checkpoint = { index: 0, confState, texts: [] };
      this.#start(member);
    }
  }

  /** A running member by chance. */
  anyone(): TestMember | undefined {
    const running = [...this.members.values()].filter((member) => member.running);
    return running.length === 0 ? undefined : this.prng.pick(running);
  }

  /** One of those that lead, or believe so. */
  leader(): TestMember | undefined {
    const leading = [...this.members.values()].filter(
      (member) => member.running && member.node.role === "leader",
    );
    return leading.length === 0 ? undefined : this.prng.pick(leading);
  }

  crash(member: TestMember): void {
    this.report.crashes++;
    member.crash(this.prng.below(member.disk.pending.length + 1), this.prng.below(3));
  }

  /** Starts a member that is down. */
  restart(member: TestMember): void {
    if (member.running) return;
    this.#start(member);
    this.touched(member);
  }

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
        onReady: (who, ready) => this.checker.onReady(who, ready),
        onPersisted: (who, ready) => this.checker.onPersisted(who, ready),
        onApply: (who, entry) => {
          if (entry.type !== 0) this.report.confChanges++;
          this.checker.onApply(who, entry);
        },
        onRead: (who, read) => {
          this.report.reads++;
          this.checker.onRead(who, read);
        },
      },
      ...(nodeClass === undefined ? {} : { nodeClass }),
    });
    this.members.set(id, member);
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
    this.checker.restarted(member);
    // Clocks differ by up to 3 percent.
    const period = tickMs * (0.97 + this.prng.float() * 0.06);
    const tick = () => {
      member.node.tick();
      this.touched(member);
      this.#later(member, period, tick);
    };
    this.#later(member, this.prng.float() * period, tick);
  }

  /** Runs something on a member unless it has crashed by then. */
  #later(member: TestMember, delayMs: number, run: () => void): void {
    const incarnation = this.#incarnation.get(member.id);
    this.queue.after(delayMs, () => {
      if (member.running && this.#incarnation.get(member.id) === incarnation) run();
    });
  }

  /** Something happened to a member: look at it, and let it work soon. */
  touched(member: TestMember): void {
    this.checker.observe(member);
    if (this.#processing.has(member.id) || !member.node.hasReady()) return;
    this.#processing.add(member.id);
    this.#later(member, this.prng.float() * 3, () => {
      this.#processing.delete(member.id);
      const { role } = member.node;
      const ready = member.takeReady();
      if (ready.softState?.role === "leader") this.report.elections++;
      if (ready.snapshot !== undefined) this.report.snapshots++;
      if (this.#options.disk === "acknowledges early" && ready.token !== 0 && ready.snapshot === undefined) {
        member.node.persisted(ready.token);
      }
      if (role !== member.node.role) this.checker.observe(member);
      this.#write(member);
      this.touched(member);
    });
  }

  /** One write at a time, in order. */
  #write(member: TestMember): void {
    if (this.#writing.has(member.id) || member.disk.pending.length === 0) return;
    this.#writing.add(member.id);
    const slow = this.unkind && this.prng.chance(0.02);
    this.#later(member, slow ? 300 + this.prng.below(1500) : 1 + this.prng.below(15), () => {
      this.#writing.delete(member.id);
      member.persistNext();
      this.touched(member);
      this.#write(member);
    });
  }

  // --- the network -----------------------------------------------------------------------------------------------

  #send(message: Message): void {
    const copies = this.unkind && this.prng.chance(0.03) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const late = this.unkind && this.prng.chance((this.#options.latePercent ?? 2) / 100);
      const delay = late ? this.prng.below(3000) : 1 + this.prng.below(20);
      // What is late was past the cut before it was made, if it was not cut when it left.
      const cut = late && this.#isCut(message);
      this.queue.after(delay, () => this.#deliver(message, late ? cut : this.#isCut(message)));
    }
  }

  #isCut({ from, to }: Message): boolean {
    return this.cut.has(`${from}-${to}`);
  }

  #deliver(message: Message, cut: boolean): void {
    const member = this.members.get(message.to);
    const lost = cut || (this.unkind && this.prng.chance(0.03));
    if (member === undefined || lost || !member.running) {
      this.report.lost++;
      this.#undelivered(message);
      return;
    }
    member.node.step(message);
    this.touched(member);
    if (message.type === MessageType.snap) this.#snapshotReport(message, true);
  }

  /** Transports notice some of what they lose; a lost snapshot always. */
  #undelivered(message: Message): void {
    if (message.type === MessageType.snap) this.#snapshotReport(message, false);
    const sender = this.members.get(message.from);
    if (sender?.running && this.prng.chance(0.3)) {
      sender.node.reportUnreachable(message.to);
      this.touched(sender);
    }
  }

  #snapshotReport({ from, to }: Message, ok: boolean): void {
    const sender = this.members.get(from);
    if (sender === undefined) return;
    this.#later(sender, this.prng.below(50), () => {
      sender.node.reportSnapshot(to, ok);
      this.touched(sender);
    });
  }
}
