/**
 * Several members and the messages between them, moved by hand: for tests that tell a story step by step.
 */
import type { MemberId, RaftIndex, Term } from "../../lib/ids.ts";
import { Prng } from "../../lib/prng.ts";
import { type ConfState, type Entry, emptyConfState } from "../../lib/raft-entry.ts";
import type { Message, MessageType } from "../../lib/raft-message.ts";
import type { RaftConfig } from "../config.ts";
import { type MemberHooks, makeEntry, type NodeClass, TestMember } from "./member.ts";

export interface ClusterOptions {
  /** How many members; their ids are 1 and up. The last `learners` of them are learners. */
  readonly size: number;
  readonly learners?: number;
  /** Members that exist but are not in the configuration yet, with the ids that follow. */
  readonly outsiders?: number;
  /** The terms of the entries in each member's log, for logs that differ from the beginning. */
  readonly logs?: Readonly<Record<number, readonly number[]>>;
  readonly config?: Partial<RaftConfig>;
  /** Each member's source of chance. Default: a seed of its own. */
  readonly randomOf?: (id: number) => (bound: number) => number;
  readonly nodeClass?: NodeClass;
  readonly hooks?: MemberHooks;
}

export type MessageFilter = (message: Message) => boolean;

export class Cluster {
  readonly members = new Map<number, TestMember>();
  /** Messages on their way, oldest first. */
  wire: Message[] = [];
  /** What is on its way and matches one of these is lost. */
  readonly #lost: MessageFilter[] = [];
  readonly #options: ClusterOptions;
  readonly confState: ConfState;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const ids = Array.from({ length: options.size }, (_, i) => BigInt(i + 1) as MemberId);
    const voters = ids.slice(0, options.size - (options.learners ?? 0));
    const learners = ids.slice(voters.length);
    this.confState = { ...emptyConfState, voters, learners };
    for (const id of ids) this.#add(id);
    // They know the founders too, because here those are not in the log.
    for (let i = 0; i < (options.outsiders ?? 0); i++) this.#add(BigInt(options.size + i + 1) as MemberId);
  }

  member(id: number): TestMember {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  node(id: number) {
    return this.member(id).node;
  }

  core(id: number) {
    return this.member(id).core;
  }

  /** The terms of a member's log, oldest first; only the part in memory. */
  terms(id: number): number[] {
    const { log } = this.core(id);
    const terms: number[] = [];
    for (let index = log.first as number; index <= log.last; index++) terms.push(log.term(index)!);
    return terms;
  }

  /** From now on messages like this are lost. */
  lose(filter: MessageFilter): void {
    this.#lost.push(filter);
  }

  /** Nothing reaches these members or leaves them. */
  isolate(...ids: number[]): void {
    this.lose(({ from, to }) => ids.includes(Number(from)) || ids.includes(Number(to)));
  }

  /** Messages only pass within each group. */
  partition(...groups: number[][]): void {
    const group = (id: bigint) => groups.findIndex((ids) => ids.includes(Number(id)));
    this.lose(({ from, to }) => group(from) !== group(to));
  }

  /** Nothing is lost any more. */
  heal(): void {
    this.#lost.length = 0;
  }

  /** Removes the messages on their way that match, and returns them. */
  take(filter: MessageFilter): Message[] {
    const taken = this.wire.filter(filter);
    this.wire = this.wire.filter((message) => !taken.includes(message));
    return taken;
  }

  takeType(type: MessageType): Message[] {
    return this.take((message) => message.type === type);
  }

  /** Everything a member has to do, disk included. */
  work(id: number): void {
    const member = this.members.get(id);
    if (!member?.running) return;
    do member.process();
    while (member.persistNext());
  }

  /** Delivers what is on its way now, but not the answers. */
  deliver(): void {
    const messages = this.wire;
    this.wire = [];
    for (const message of messages) this.deliverOne(message);
  }

  deliverOne(message: Message): void {
    if (this.#lost.some((filter) => filter(message))) return;
    const member = this.members.get(Number(message.to));
    if (member?.running) member.node.step(message);
  }

  /** Delivers and works until nothing moves. */
  settle(): void {
    for (let round = 0; round < 1000; round++) {
      for (const id of this.members.keys()) this.work(id);
      if (this.wire.length === 0) return;
      this.deliver();
    }
    throw new Error("the cluster does not come to rest");
  }

  tick(id: number, count = 1): void {
    for (let i = 0; i < count; i++) this.node(id).tick();
  }

  /** Time passes for all, and everything that follows from it. */
  pass(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      for (const [id, member] of this.members) if (member.running) this.tick(id);
      this.settle();
    }
  }

  /** Makes `id` leader, whatever it takes. */
  elect(id: number): void {
    for (let attempt = 0; attempt < 10 && this.node(id).role !== "leader"; attempt++) {
      for (const member of this.members.values()) {
        if (!member.running) continue;
        // A leader heard from lately would hold up the election, as would a lease.
        if (member.node.role === "follower") member.core.leader = 0n as MemberId;
        member.core.promisedTicks = 0;
      }
      this.node(id).campaign();
      this.settle();
    }
    if (this.node(id).role !== "leader") throw new Error(`member ${id} does not get elected`);
  }

  leader(): TestMember | undefined {
    let leader: TestMember | undefined;
    for (const member of this.members.values()) {
      if (!member.running || member.node.role !== "leader") continue;
      if (leader === undefined || member.node.term > leader.node.term) leader = member;
    }
    return leader;
  }

  #add(id: MemberId): void {
    const { config, nodeClass, hooks, logs, randomOf } = this.#options;
    const member = new TestMember({
      config: {
        electionTicks: 10,
        heartbeatTicks: 1,
        randomBelow: (randomOf ?? randomFrom)(Number(id)),
        ...config,
        id,
      },
      send: (message) => this.wire.push(message),
      ...(nodeClass === undefined ? {} : { nodeClass }),
      ...(hooks === undefined ? {} : { hooks }),
    });
    this.members.set(Number(id), member);
    const { disk } = member;
    const terms = logs?.[Number(id)] ?? [];
    disk.entries = terms.map((term, i): Entry => {
      return { ...makeEntry(`${term}/${i + 1}`), term: term as Term, index: (i + 1) as RaftIndex };
    });
    // Where there is an entry of a term, a majority had voted in it: so every member may know it.
    const newest = Math.max(0, ...Object.values(logs ?? {}).flat());
    disk.hardState = {
      term: newest as Term,
      vote: 0n as MemberId,
      commit: 0 as RaftIndex,
    };
    disk.checkpoint = { index: 0, confState: this.confState, texts: [] };
    member.restart();
  }
}

function randomFrom(seed: number): (bound: number) => number {
  const prng = new Prng(seed);
  return (bound) => prng.below(bound);
}
