/**
 * Watches all members of a simulated cluster at once, and throws when one of Raft's properties (figure 3 of the
 * paper), or a promise made to others or to clients, does not hold.
 */
import type { MemberId } from "../../lib/ids.ts";
import type { Entry } from "../../lib/raft-entry.ts";
import { type Message, MessageType } from "../../lib/raft-message.ts";
import { jointVote } from "../quorum/joint.ts";
import type { ReadState } from "../raft.ts";
import type { Ready } from "../ready.ts";
import { toText } from "./machine.ts";
import type { TestMember } from "./member.ts";

/** A property of Raft does not hold. */
export class Violation extends Error {
  constructor(property: string, what: string) {
    super(`${property}: ${what}`);
    this.name = "Violation";
  }
}

export interface CheckerOptions {
  /** Check each vote and acknowledgement against the disk as it leaves. Default true. */
  readonly promises?: boolean;
  /** Check each new commit against the disks of a quorum. Default true. */
  readonly durability?: boolean;
}

interface Known {
  readonly term: number;
  readonly text: string;
}

export class Checker {
  readonly #members: ReadonlyMap<MemberId, TestMember>;
  readonly #options: Required<CheckerOptions>;
  readonly #leaders = new Map<number, MemberId>();
  /** By index and term: what that entry is, and the term of the one before it in the same log. */
  readonly #entries = new Map<string, { text: string; prevTerm: number | undefined }>();
  readonly #committed: (Known | undefined)[] = [];
  readonly #appliedTexts: (string | undefined)[] = [];
  readonly #commitSeen = new Map<MemberId, number>();
  readonly #reads = new Map<string, number>();
  /** The highest index that any member has applied: what clients may have been told. */
  #applied = 0;

  constructor(members: ReadonlyMap<MemberId, TestMember>, options: CheckerOptions = {}) {
    this.#members = members;
    this.#options = { promises: options.promises ?? true, durability: options.durability ?? true };
  }

  get commits(): number {
    return Math.max(0, this.#committed.length - 1);
  }

  /** To be called after anything that happened to a member. */
  observe(member: TestMember): void {
    if (!member.running) return;
    this.#electionSafety(member);
    this.#commits(member);
  }

  restarted(member: TestMember): void {
    this.#commitSeen.set(member.id, member.node.commitIndex);
  }

  onReady(member: TestMember, ready: Ready): void {
    for (const message of ready.messages) {
      if (this.#options.promises) this.#promise(member, message);
      let prevTerm: number = message.logTerm;
      if (message.type !== MessageType.app) continue;
      for (const entry of message.entries) {
        this.#logMatching(member, entry, prevTerm);
        prevTerm = entry.term;
      }
    }
  }

  /** Entries exist for others from when they are sent or on disk. */
  onPersisted(member: TestMember, ready: Ready): void {
    for (const entry of ready.entries) {
      this.#logMatching(member, entry, member.disk.term(entry.index - 1));
    }
  }

  /** State Machine Safety: all members apply the same entry at an index. */
  onApply(member: TestMember, entry: Entry): void {
    const text = describe(entry);
    const known = this.#appliedTexts[entry.index];
    if (known !== undefined && known !== text) {
      throw new Violation("state machine safety", `${member.id} applies ${text}, another applied ${known}`);
    }
    this.#appliedTexts[entry.index] = text;
    if (this.#committed[entry.index] === undefined) {
      throw new Violation(
        "state machine safety",
        `${member.id} applies ${entry.index}, which is not committed`,
      );
    }
    this.#applied = Math.max(this.#applied, entry.index);
  }

  /** A client asks for a read index. */
  readAsked(context: Uint8Array): void {
    this.#reads.set(toText(context), this.#applied);
  }

  /** Linearizability: a read sees everything that anybody may have been told before it was asked for. */
  onRead(member: TestMember, read: ReadState): void {
    const least = this.#reads.get(toText(read.context)) ?? 0;
    if (read.index < least) {
      throw new Violation(
        "linearizable reads",
        `${member.id} may read at ${read.index}, but ${least} was applied before the read was asked for`,
      );
    }
  }

  #electionSafety(member: TestMember): void {
    if (member.node.role !== "leader") return;
    const { term, id } = member.node;
    const known = this.#leaders.get(term);
    if (known === id) return;
    if (known !== undefined)
      throw new Violation("election safety", `${known} and ${id} both lead term ${term}`);
    this.#leaders.set(term, id);
    for (let index = 1; index < this.#committed.length; index++) this.#holds(member, index);
  }

  /** Leader Completeness: whoever leads holds what was committed in earlier terms. */
  #holds(leader: TestMember, index: number): void {
    const { log } = leader.core;
    if (index < log.first) return;
    const known = this.#committed[index];
    if (known !== undefined && log.term(index) !== known.term) {
      throw new Violation(
        "leader completeness",
        `${leader.id} leads term ${leader.node.term} without the committed entry ${known.term}/${index}`,
      );
    }
  }

  #commits(member: TestMember): void {
    const seen = this.#commitSeen.get(member.id) ?? 0;
    const { commitIndex } = member.node;
    if (commitIndex < seen)
      throw new Violation("commit", `${member.id} goes back from ${seen} to ${commitIndex}`);
    this.#commitSeen.set(member.id, commitIndex);
    const { log } = member.core;
    for (let index = Math.max(seen + 1, log.first); index <= commitIndex; index++) {
      this.#commit(member, index, log.term(index)!);
    }
  }

  #commit(member: TestMember, index: number, term: number): void {
    const known = this.#committed[index];
    if (known !== undefined) {
      if (known.term === term) return;
      throw new Violation(
        "commit",
        `${member.id} commits ${term}/${index}, another committed ${known.term}/${index}`,
      );
    }
    this.#committed[index] = { term, text: this.#entries.get(`${index}/${term}`)?.text ?? "" };
    if (this.#options.durability) this.#onQuorum(member, index, term);
    for (const other of this.#members.values()) {
      if (other.running && other.node.role === "leader" && other.node.term > member.node.term) {
        this.#holds(other, index);
      }
    }
  }

  /** What is committed is on the disks of a quorum. */
  #onQuorum(member: TestMember, index: number, term: number): void {
    const holds = (id: MemberId): boolean => {
      const { disk } = this.#members.get(id)!;
      return disk.term(index) === term || index < disk.firstIndex;
    };
    if (jointVote(member.node.confState, holds) !== "won") {
      throw new Violation("durability", `${member.id} commits ${term}/${index} that no quorum has on disk`);
    }
  }

  /** Log Matching, by induction: entries with the same index and term are equal, and so are the terms before them. */
  #logMatching(member: TestMember, entry: Entry, prevTerm: number | undefined): void {
    const key = `${entry.index}/${entry.term}`;
    const text = describe(entry);
    const known = this.#entries.get(key);
    if (known === undefined) {
      this.#entries.set(key, { text, prevTerm });
    } else if (known.text !== text) {
      throw new Violation("log matching", `${key} is ${text} on ${member.id}, and ${known.text} elsewhere`);
    } else if (prevTerm !== undefined && known.prevTerm !== undefined && prevTerm !== known.prevTerm) {
      throw new Violation(
        "log matching",
        `before ${key} ${member.id} has ${prevTerm}, others ${known.prevTerm}`,
      );
    }
  }

  /** What is said about the disk is true when it is said. */
  #promise(member: TestMember, message: Message): void {
    const { disk } = member;
    const term = disk.hardState?.term ?? 0;
    const wrong = (what: string) =>
      new Violation("promises", `${member.id} says "${what}" before it is on disk`);
    switch (message.type) {
      case MessageType.voteResp:
        if (message.reject || term > message.term) break;
        if (term < message.term || disk.hardState?.vote !== message.to) {
          throw wrong(`my vote in ${message.term}`);
        }
        break;
      case MessageType.vote:
        if (term === message.term ? disk.hardState?.vote !== member.id : term < message.term) {
          throw wrong(`I stand for ${message.term}`);
        }
        break;
      case MessageType.appResp:
        if (message.reject || term > message.term) break;
        if (disk.lastIndex < message.index) throw wrong(`entries to ${message.index}`);
        break;
      case MessageType.app:
      case MessageType.heartbeat:
        if (term < message.term) throw wrong(`I lead ${message.term}`);
        break;
    }
  }
}

function describe(entry: Entry): string {
  return `${entry.term}/${entry.index} ${entry.type} ${toText(entry.data)}`;
}
