/**
 * Cores with a bug each, put in on purpose: whoever checks must be seen to find them. They live in subclasses of the
 * tests' own node; the product has no switches for them.
 */
import { noMember, type RaftIndex, type Term } from "../../lib/ids.ts";
import { type Message, MessageType } from "../../lib/raft-message.ts";
import { majorityIndex } from "../quorum/majority.ts";
import type { Ready } from "../ready.ts";
import { TestNode } from "./member.ts";

/** Votes for everybody who asks, as often as they ask (5.2). */
export class VotesTwice extends TestNode {
  override step(message: Message): void {
    if (message.type === MessageType.vote && message.term === this.raft.term && this.role === "follower") {
      this.raft.vote = noMember;
      this.raft.leader = noMember;
    }
    super.step(message);
  }
}

/** Votes for candidates whose logs are behind (5.4.1). */
export class IgnoresOldLogs extends TestNode {
  override step(message: Message): void {
    const asks = message.type === MessageType.vote || message.type === MessageType.preVote;
    const term = (2 ** 40) as Term;
    super.step(asks ? { ...message, logTerm: term, index: term as number as RaftIndex } : message);
  }
}

/** Commits entries of earlier terms by counting (5.4.2, figure 8). */
export class CommitsOldTerms extends TestNode {
  override step(message: Message): void {
    super.step(message);
    if (this.role === "leader") this.raft.log.commitTo(this.raft.tracker.committed());
  }
}

/** Appends wherever it is told, without looking at what comes before (5.3). */
export class SkipsLogMatching extends TestNode {
  override step(message: Message): void {
    const term = this.raft.log.term(message.index);
    const skip = message.type === MessageType.app && term !== undefined;
    super.step(skip ? { ...message, logTerm: term } : message);
  }
}

/** Tells followers in heartbeats that all is committed, whether they have it or not. */
export class HeartbeatsWithoutMatch extends TestNode {
  override ready(): Ready {
    const ready = super.ready();
    const messages = ready.messages.map((message) =>
      message.type === MessageType.heartbeat ? { ...message, commit: this.commitIndex } : message,
    );
    return { ...ready, messages };
  }
}

/** Counts only the new half of a joint configuration (6). */
export class ForgetsOutgoingVoters extends TestNode {
  override step(message: Message): void {
    super.step(message);
    const { raft } = this;
    if (raft.role !== "leader" || !raft.tracker.isJoint) return;
    const { progress } = raft.tracker;
    const index = majorityIndex(raft.tracker.config.voters, (id) => progress.get(id)?.match ?? 0);
    if (raft.log.matches(index, raft.term)) raft.log.commitTo(index);
  }
}

/** Lets a second change of the configuration begin before the first is applied (dissertation 4.1). */
export class ChangesTwoAtOnce extends TestNode {
  override proposeConfChange(change: Parameters<TestNode["proposeConfChange"]>[0]) {
    this.raft.pendingConfIndex = 0 as RaftIndex;
    return super.proposeConfChange(change);
  }
}

/** Answers reads without asking anybody whether it still leads (6.4). */
export class ReadsWithoutQuorum extends TestNode {
  override readIndex(context: Uint8Array) {
    if (this.role !== "leader") return super.readIndex(context);
    this.raft.readStates.push({ index: this.commitIndex, context });
    return undefined;
  }
}

/** Answers reads before it has committed an entry of its term (6.4). */
export class ReadsTooEarly extends TestNode {
  override step(message: Message): void {
    const { raft } = this;
    if (message.type === MessageType.readIndex && raft.role === "leader") {
      raft.readOnly.add({
        from: message.from,
        context: message.entries[0]!.data,
        index: raft.log.committed,
      });
      raft.readRoundOwed = true;
      raft.readOnly.acknowledge(raft.id, raft.readOnly.newest);
      return;
    }
    super.step(message);
  }
}

/** Forgets one entry in a hundred, when it passes a batch on to its state machine. */
export class SkipsEntries extends TestNode {
  override ready(): Ready {
    const ready = super.ready();
    const committedEntries = ready.committedEntries.filter(({ index }) => index % 100 !== 99);
    return { ...ready, committedEntries };
  }
}

/** Counts a quorum of answers to any heartbeat, however old, as proof that it leads. */
export class CountsOldAnswers extends TestNode {
  override step(message: Message): void {
    if (message.type === MessageType.heartbeatResp && this.role === "leader") {
      const { readOnly } = this.raft;
      readOnly.acknowledge(message.from, readOnly.newest);
    }
    super.step(message);
  }
}
