/**
 * What a core wants done.
 */
import type { MemberId } from "../lib/ids.ts";
import type { Entry, HardState } from "../lib/raft-entry.ts";
import { type Message, noEntries, type Snapshot } from "../lib/raft-message.ts";
import { replicate } from "./leader/replicate.ts";
import type { Raft, ReadState, Role } from "./raft.ts";

/** What need not survive a restart. */
export interface SoftState {
  readonly leader: MemberId;
  readonly role: Role;
}

/**
 * One batch of work. In this order, but without waiting in between:
 *
 *   1. `messages` may be sent at once.
 *   2. `snapshot`, `entries` and `hardState` are to be written, in the order of the Readys. If `token` is not 0,
 *      call `persisted(token)` when they are on disk; other Readys may be taken meanwhile.
 *   3. `committedEntries` are to be applied in order (`applyConfChange` for those that change the configuration),
 *      then `applied(index)` is to be called. They are on disk already.
 *   4. `readStates` may be answered once the state machine has applied their index.
 */
export interface Ready {
  /** Set when the leader or the role changed. */
  readonly softState: SoftState | undefined;
  /** Set when it changed. */
  readonly hardState: HardState | undefined;
  /** To be appended to the log on disk. What is there from the first one's index on is replaced. */
  readonly entries: readonly Entry[];
  /** To be installed as the state machine's state, and as the beginning of the log on disk. */
  readonly snapshot: Snapshot | undefined;
  readonly messages: readonly Message[];
  readonly committedEntries: readonly Entry[];
  readonly readStates: readonly ReadState[];
  /** False if only the commit index moved: that may be written at leisure, and needs no report. */
  readonly mustSync: boolean;
  /** What to call `persisted` with; 0 for nothing to report. Tokens rise. */
  readonly token: number;
}

const noMessages: readonly Message[] = [];
const noReadStates: readonly ReadState[] = [];

/** Makes Readys, remembering what the last one said. */
export class ReadyMaker {
  readonly #raft: Raft;
  #softState: SoftState;
  #hardState: HardState;

  constructor(raft: Raft) {
    this.#raft = raft;
    this.#softState = { leader: raft.leader, role: raft.role };
    this.#hardState = hardStateOf(raft);
  }

  get pending(): boolean {
    const raft = this.#raft;
    return (
      raft.appendsOwed ||
      raft.readRoundOwed ||
      raft.messages.length > 0 ||
      raft.promises.length > 0 ||
      raft.readStates.length > 0 ||
      raft.log.hasUnwritten ||
      raft.log.hasUnapplied ||
      this.#softStateChanged() ||
      this.#hardStateChanged()
    );
  }

  make(): Ready {
    const raft = this.#raft;
    const { log } = raft;
    if (raft.role === "leader") replicate(raft);
    const softState = this.#softStateChanged() ? { leader: raft.leader, role: raft.role } : undefined;
    if (softState !== undefined) this.#softState = softState;
    const termOrVote = raft.term !== this.#hardState.term || raft.vote !== this.#hardState.vote;
    const hardState = this.#hardStateChanged() ? hardStateOf(raft) : undefined;
    if (hardState !== undefined) this.#hardState = hardState;
    const snapshot = log.takeIncomingSnapshot();
    const entries = log.hasUnwritten ? log.takeUnwritten() : noEntries;
    const mustSync = termOrVote || snapshot !== undefined || entries.length > 0;
    const token = this.#handOut(mustSync, entries, snapshot);
    const committedEntries = log.hasUnapplied ? this.#takeCommitted() : noEntries;
    const { messages, readStates } = raft;
    if (messages.length > 0) raft.messages = [];
    if (readStates.length > 0) raft.readStates = [];
    return {
      softState,
      hardState,
      entries,
      snapshot,
      messages: messages.length > 0 ? messages : noMessages,
      committedEntries,
      readStates: readStates.length > 0 ? readStates : noReadStates,
      mustSync,
      token,
    };
  }

  /** Ties the promises to the write they wait for: this Ready's, or else the newest one under way, or none. */
  #handOut(mustSync: boolean, entries: readonly Entry[], snapshot: Snapshot | undefined): number {
    const raft = this.#raft;
    const { inFlight } = raft.log;
    const { promises } = raft;
    // Always: the record keeps this array, and may be given more promises while it is under way.
    if (mustSync || promises.length > 0) raft.promises = [];
    if (mustSync) {
      return inFlight.add({
        lastIndex: entries.length > 0 ? raft.log.last : 0,
        snapshotIndex: snapshot?.metadata.index ?? 0,
        promises,
      });
    }
    if (promises.length === 0) return 0;
    if (inFlight.empty) raft.messages.push(...promises);
    else inFlight.addPromises(promises);
    return 0;
  }

  #takeCommitted(): Entry[] {
    const raft = this.#raft;
    const entries = raft.log.takeCommitted();
    if (raft.uncommittedBytes > 0) {
      let bytes = 0;
      for (const entry of entries) bytes += entry.data.length;
      // Entries of earlier terms were never counted, so this may be more than there is.
      raft.uncommittedBytes = Math.max(0, raft.uncommittedBytes - bytes);
    }
    return entries;
  }

  #softStateChanged(): boolean {
    return this.#raft.leader !== this.#softState.leader || this.#raft.role !== this.#softState.role;
  }

  #hardStateChanged(): boolean {
    const { term, vote, commit } = this.#hardState;
    return this.#raft.term !== term || this.#raft.vote !== vote || this.#raft.log.committed !== commit;
  }
}

function hardStateOf(raft: Raft): HardState {
  return { term: raft.term, vote: raft.vote, commit: raft.log.committed };
}
