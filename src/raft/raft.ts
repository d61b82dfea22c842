/**
 * The state of one member (Raft paper, figure 2) and the few things that every part of the algorithm does with it.
 * What it does in which role is in the files beside this one; DESIGN.md has the map.
 */
import { assert, fail } from "../lib/assert.ts";
import { type MemberId, noMember, type RaftIndex, type Term } from "../lib/ids.ts";
import type { ConfState } from "../lib/raft-entry.ts";
import { type Message, MessageType, makeMessage } from "../lib/raft-message.ts";
import { checkConfig } from "./confchange/changer.ts";
import type { ResolvedConfig } from "./config.ts";
import { HeldProposals } from "./held-proposals.ts";
import { RaftLog } from "./log/raft-log.ts";
import type { RaftStart } from "./log/start.ts";
import { ReadOnly } from "./read-only.ts";
import { Tracker } from "./tracker/tracker.ts";

export type Role = "follower" | "preCandidate" | "candidate" | "leader";

/** A read that may now be served by any state machine that has applied `index`. */
export interface ReadState {
  readonly index: RaftIndex;
  readonly context: Uint8Array;
}

/**
 * Messages that are a promise about what is on this member's disk, and so wait for it (see PersistQueue). To ask for
 * votes is one of them: a candidate that was elected, crashed, and had forgotten its term would ask again in the same
 * term, be voted for by the same members, and lead that term a second time with other entries.
 */
function isPromise(type: MessageType): boolean {
  return type === MessageType.appResp || type === MessageType.voteResp || type === MessageType.vote;
}

function supersedes(next: Message, last: Message): boolean {
  const acknowledges = next.type === MessageType.appResp && last.type === MessageType.appResp;
  if (!acknowledges || next.reject || last.reject) return false;
  return next.to === last.to && next.term === last.term && next.index >= last.index;
}

export class Raft {
  readonly id: MemberId;
  readonly config: ResolvedConfig;
  readonly log: RaftLog;
  readonly tracker: Tracker;

  term: Term;
  /** Who got this member's vote in `term`. Only `castVote` and `reset` change it. */
  vote: MemberId;
  role: Role = "follower";
  /** The leader of `term`, as far as this member knows. */
  leader: MemberId = noMember;

  /** The configuration in force covers all changes up to this entry, applied or not. */
  confIndex: RaftIndex;

  /** Ticks since this member was made. */
  ticks = 0;
  electionElapsed = 0;
  heartbeatElapsed = 0;
  /** This election's timeout: from `electionTicks` to twice that, by chance (5.2). */
  randomizedElectionTicks = 0;
  /** Lease reads: ticks for which this member has promised a leader to vote for nobody. */
  promisedTicks = 0;

  // The rest matters to a leader only.
  /** Whom leadership is being handed to (dissertation 3.10). */
  leadTransferee: MemberId = noMember;
  /** A MsgTimeoutNow left in this term: someone may win an election in spite of the lease. */
  transferAttempted = false;
  /** Ticks for which a leader that is no longer a voter goes on leading at most, to hand over; 0 if it is one. */
  leavingTicks = 0;
  /** No further configuration change before this entry is applied (dissertation 4.1). */
  pendingConfIndex: RaftIndex = 0 as RaftIndex;
  /** Bytes of data appended in this term and not yet handed out as committed; never too high. */
  uncommittedBytes = 0;
  readOnly = new ReadOnly();
  /** Reads that came before this leader committed an entry of its own term. */
  earlyReads: Message[] = [];
  /** What others have passed on, and nobody can take now. Survives a change of role: that is what it is for. */
  readonly heldProposals = new HeldProposals();
  /** Something changed that may call for appends; they are made when the next Ready is. */
  appendsOwed = false;
  /** Reads were added since the last round of heartbeats. */
  readRoundOwed = false;

  /** To be sent now. */
  messages: Message[] = [];
  /** To be sent, or stepped if they are for this member, once all that is unwritten is durable. */
  promises: Message[] = [];
  readStates: ReadState[] = [];

  constructor(config: ResolvedConfig, start: RaftStart) {
    this.id = config.id;
    this.config = config;
    const { hardState } = start;
    this.log = new RaftLog(
      { ...start, commit: hardState?.commit ?? (0 as RaftIndex) },
      config.maxApplyingBytes,
    );
    this.term = Math.max(hardState?.term ?? 0, this.log.lastTerm) as Term;
    this.vote = this.term === hardState?.term ? hardState.vote : noMember;
    this.tracker = new Tracker({
      maxMessages: config.maxInflightMessages,
      maxBytes: config.maxInflightBytes,
    });
    checkConfig(start.confState);
    this.tracker.reconfigure(start.confState, this.log.last);
    this.#markStart(start.confState);
    this.confIndex = this.log.applied;
    // A member that restarts does not know whether it had promised a lease, so it keeps one (6.4.1).
    if (config.readMode === "lease" && hardState !== undefined) this.promisedTicks = config.electionTicks;
    this.resetElectionTimeout();
  }

  get name(): string {
    return this.id.toString(16);
  }

  get isLearner(): boolean {
    return this.tracker.progress.get(this.id)?.isLearner === true;
  }

  /** Whether this member may become leader: a voter that is not busy installing a snapshot. */
  get promotable(): boolean {
    return this.tracker.isVoter(this.id) && !this.log.installingSnapshot;
  }

  /**
   * Sends a message from this member, in its term. What promises something about the disk waits for the disk;
   * anything else goes with the next Ready.
   */
  send(fields: Partial<Message> & { readonly type: MessageType; readonly to: MemberId }): void {
    const message = makeMessage({ from: this.id, term: this.term, ...fields });
    if (isPromise(message.type)) this.#promise(message);
    else {
      assert(message.to !== this.id, "raft: a message to oneself");
      this.messages.push(message);
    }
  }

  /** Passes a client's request on to the leader. It carries no term: it is not part of any leader's authority. */
  forward(message: Message): void {
    this.forwardTo(this.leader, message);
  }

  /** The same to a member that should lead soon. */
  forwardTo(to: MemberId, message: Message): void {
    assert(to !== this.id, "raft: a message to oneself");
    const from = message.from === noMember ? this.id : message.from;
    this.messages.push({ ...message, to, from, term: 0 as Term });
  }

  /** At most one vote per term (5.2). */
  castVote(candidate: MemberId): void {
    if (this.vote !== noMember && this.vote !== candidate) {
      fail(`raft: second vote in term ${this.term}: ${this.vote} and ${candidate}`);
    }
    this.vote = candidate;
  }

  /** Everything that does not survive a change of role. A new term begins without a vote. */
  reset(term: Term): void {
    assert(term >= this.term, "raft: the term goes back");
    if (this.term !== term) {
      this.term = term;
      this.vote = noMember;
    }
    this.leader = noMember;
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    this.resetElectionTimeout();
    this.leadTransferee = noMember;
    this.transferAttempted = false;
    this.leavingTicks = 0;
    this.pendingConfIndex = 0 as RaftIndex;
    this.uncommittedBytes = 0;
    this.readOnly = new ReadOnly();
    this.earlyReads = [];
    this.appendsOwed = false;
    this.readRoundOwed = false;
    this.tracker.resetVotes();
    this.tracker.resetProgress(this.log.last);
  }

  resetElectionTimeout(): void {
    const { electionTicks, randomBelow } = this.config;
    this.randomizedElectionTicks = electionTicks + randomBelow(electionTicks);
  }

  /** Of acknowledgements to one leader that wait together, the last one says it all. */
  #promise(message: Message): void {
    const last = this.promises.at(-1);
    if (last !== undefined && supersedes(message, last)) this.promises[this.promises.length - 1] = message;
    else this.promises.push(message);
  }

  /** The state at `applied` is what this member could send to another one from the start. */
  #markStart(confState: ConfState): void {
    const { applied } = this.log;
    const term = this.log.term(applied);
    if (applied > 0 && term !== undefined && applied >= (this.log.mark?.index ?? 0)) {
      this.log.mark = { index: applied, term, confState };
    }
  }
}
