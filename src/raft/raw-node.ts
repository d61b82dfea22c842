/**
 * One member of a Raft cluster, as its server sees it: ticks, proposals and messages go in, Readys come out. It does
 * nothing by itself and knows no clock, disk or network. DESIGN.md shows the loop that drives it.
 */
import { assert } from "../lib/assert.ts";
import { type MemberId, noMember, type RaftIndex, type Term } from "../lib/ids.ts";
import { type ConfState, type Entry, EntryType, type SnapshotMark } from "../lib/raft-entry.ts";
import { type Message, MessageType, makeMessage } from "../lib/raft-message.ts";
import { bootstrap, type Founder } from "./bootstrap.ts";
import { acknowledgeSelf } from "./commit.ts";
import type { ConfChange, ConfChangeV2 } from "./confchange/types.ts";
import { encodeConfChange, encodeConfChangeV2 } from "./confchange/wire.ts";
import { type RaftConfig, resolveConfig } from "./config.ts";
import { hup } from "./election.ts";
import { appendProposals, type ProposeRefusal, refusesConfChange } from "./leader/propose.ts";
import { requestRead } from "./leader/read-index.ts";
import { reportSnapshot, reportUnreachable } from "./leader/report.ts";
import type { RaftStart } from "./log/start.ts";
import { trimLog } from "./log/trim.ts";
import { isLocal, isResponse } from "./message.ts";
import { Raft, type Role } from "./raft.ts";
import { type Ready, ReadyMaker } from "./ready.ts";
import { applyConfChange, maybeLeaveJoint } from "./reconfigure.ts";
import { type RaftStatus, statusOf } from "./status.ts";
import { step } from "./step.ts";
import { tick } from "./tick.ts";

/** Why a read index cannot be asked for. */
export type ReadRefusal = "no leader" | "too many pending reads";

export class RawNode {
  /** The member's state. For tests and checkers: whoever changes it is on their own. */
  protected readonly raft: Raft;
  readonly #readys: ReadyMaker;

  constructor(config: RaftConfig, start: RaftStart) {
    this.raft = new Raft(resolveConfig(config), start);
    this.#readys = new ReadyMaker(this.raft);
  }

  get id(): MemberId {
    return this.raft.id;
  }
  get role(): Role {
    return this.raft.role;
  }
  /** The leader as far as known, noMember if it is not. */
  get leader(): MemberId {
    return this.raft.leader;
  }
  get term(): Term {
    return this.raft.term;
  }
  get commitIndex(): RaftIndex {
    return this.raft.log.committed;
  }
  get appliedIndex(): RaftIndex {
    return this.raft.log.applied;
  }
  get lastIndex(): RaftIndex {
    return this.raft.log.last;
  }
  /** The last entry known to be on this member's disk. */
  get stableIndex(): RaftIndex {
    return this.raft.log.stable;
  }
  /** The configuration in force. */
  get confState(): ConfState {
    return this.raft.tracker.config;
  }

  /** Founds a new cluster. Every founding member must be given the same founders, on an empty disk. */
  bootstrap(founders: readonly Founder[]): void {
    bootstrap(this.raft, founders);
  }

  /** The clock of elections and heartbeats. To be called at regular intervals. */
  tick(): void {
    tick(this.raft);
  }

  /** Starts an election now, for instance on a new sole member. */
  campaign(): void {
    hup(this.raft, this.raft.config.preVote ? "preElection" : "election");
  }

  /**
   * Proposes a batch: all of it is taken, or nothing and the refusal says why. On the leader the entries' term and
   * index are set at once, and the same objects come out as `committedEntries`, if they do. On a follower they are
   * passed on and may be lost without notice. Entries must not be used for anything else.
   */
  propose(entries: readonly Entry[]): ProposeRefusal | undefined {
    const { raft } = this;
    if (entries.length === 0) return undefined;
    if (raft.role === "leader") return appendProposals(raft, entries);
    if (raft.leader === noMember) return "no leader";
    if (raft.config.disableProposalForwarding) return "not the leader";
    raft.forward(makeMessage({ type: MessageType.prop, entries }));
    return undefined;
  }

  /** Proposes a change of the configuration. On the leader one that cannot be made now is refused. */
  proposeConfChange(change: ConfChange | ConfChangeV2): ProposeRefusal | undefined {
    const v2 = "changes" in change;
    const entry: Entry = {
      type: v2 ? EntryType.confChangeV2 : EntryType.confChange,
      term: 0 as Term,
      index: 0 as RaftIndex,
      data: v2 ? encodeConfChangeV2(change) : encodeConfChange(change),
    };
    if (this.raft.role === "leader") {
      const problem = refusesConfChange(this.raft, entry);
      if (problem !== undefined) {
        this.raft.config.logger.info(`${this.raft.name} refuses conf change: ${problem}`);
        return "conf change not possible now";
      }
    }
    return this.propose([entry]);
  }

  /**
   * A committed change is being applied: to be called for every entry of either configuration type, in its place
   * among the committed entries, and before `applied` covers it. To cancel it, pass it with `nodeId` 0n.
   */
  applyConfChange(change: ConfChange | ConfChangeV2): ConfState {
    return applyConfChange(this.raft, change);
  }

  /** A message from another member. What makes no sense from there is ignored. */
  step(message: Message): void {
    const { raft } = this;
    if (isLocal(message.type)) return;
    if (isResponse(message.type) && !raft.tracker.progress.has(message.from)) return;
    step(raft, message);
  }

  /**
   * Asks for an index such that a state machine that has applied it serves reads that are linearizable from now on.
   * It comes as a ReadState with the same `context`, or never: leaders change and messages get lost, so ask again
   * after a while, and when the leader changes.
   */
  readIndex(context: Uint8Array): ReadRefusal | undefined {
    const { raft } = this;
    const zero = 0 as RaftIndex;
    const entry: Entry = { type: EntryType.normal, term: 0 as Term, index: zero, data: context };
    const request = makeMessage({ type: MessageType.readIndex, entries: [entry] });
    if (raft.role === "leader") return requestRead(raft, request) ? undefined : "too many pending reads";
    if (raft.leader === noMember) return "no leader";
    raft.forward(request);
    return undefined;
  }

  hasReady(): boolean {
    return this.#readys.pending;
  }

  /** The work there is. Taking a Ready obliges to do it. */
  ready(): Ready {
    return this.#readys.make();
  }

  /**
   * Everything up to and with the Ready of this token is on disk. Tokens are reported in order; leaving some out is
   * fine when a later one covers them.
   */
  persisted(token: number): void {
    const { raft } = this;
    const { log } = raft;
    for (;;) {
      const record = log.inFlight.shift(token);
      if (record === undefined) break;
      if (record.snapshotIndex > 0) log.snapshotInstalled(record.snapshotIndex);
      log.stableTo(record.lastIndex);
      for (const message of record.promises) {
        if (message.to === raft.id) step(raft, message);
        else raft.messages.push(message);
      }
    }
    if (raft.role === "leader") acknowledgeSelf(raft);
  }

  /** The state machine has applied everything up to `index`. */
  applied(index: RaftIndex): void {
    this.raft.log.appliedTo(index);
    maybeLeaveJoint(this.raft);
  }

  /**
   * The state at `index` can be sent to other members from now on, so that what is older may leave memory; how much
   * of it does depends on `keepEntries`, `maxLogBytes` and what followers still need. `confState` is the
   * configuration at that index.
   */
  createSnapshot(index: RaftIndex, confState: ConfState): SnapshotMark {
    const { log } = this.raft;
    assert(index <= log.applied, `raft: snapshot at ${index} is ahead of what is applied (${log.applied})`);
    const term = log.term(index);
    assert(term !== undefined, `raft: snapshot at ${index} is behind the log`);
    const mark: SnapshotMark = { index, term, confState };
    if (index > (log.mark?.index ?? 0)) log.mark = mark;
    trimLog(this.raft);
    return mark;
  }

  /** Drops the entries up to `index` from memory now. It must not be beyond the newest `createSnapshot`. */
  compactLog(index: RaftIndex): void {
    this.raft.log.compact(index);
  }

  /** Hands leadership to `target`, at once if its log is complete, and gives up after an election timeout. */
  transferLeader(target: MemberId): void {
    this.#stepLocal(makeMessage({ type: MessageType.transferLeader, from: target }));
  }

  /** Makes a follower forget its leader, so that it may vote for another one at once. */
  forgetLeader(): void {
    this.#stepLocal(makeMessage({ type: MessageType.forgetLeader }));
  }

  /** A message to this member could not be delivered. */
  reportUnreachable(id: MemberId): void {
    reportUnreachable(this.raft, id);
  }

  /** How sending a snapshot to this member ended. Every MsgSnap must be reported. */
  reportSnapshot(id: MemberId, ok: boolean): void {
    reportSnapshot(this.raft, id, ok);
  }

  status(): RaftStatus {
    return statusOf(this.raft);
  }

  #stepLocal(message: Message): void {
    step(this.raft, message);
  }
}
