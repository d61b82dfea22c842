/**
 * The shape of what members of a cluster say to each other (raftpb.Message), as plain objects. It lives here, below
 * `raft`, `transport` and `codec`, because those do not import each other. What each message means is in
 * src/raft/DESIGN.md; numbers and fields are raftpb's, since members talk to real etcd.
 */
import { type MemberId, noMember, type RaftIndex, type Term } from "./ids.ts";
import type { Entry, SnapshotMark } from "./raft-entry.ts";

/** raftpb.MessageType. Those marked "local" never travel between members. */
export const MessageType = {
  /** Local: start an election. */
  hup: 0,
  /** Local: time for a heartbeat. */
  beat: 1,
  prop: 2,
  app: 3,
  appResp: 4,
  vote: 5,
  voteResp: 6,
  snap: 7,
  heartbeat: 8,
  heartbeatResp: 9,
  /** Local: a message to `from` could not be delivered. */
  unreachable: 10,
  /** Local: how sending a snapshot to `from` ended. */
  snapStatus: 11,
  /** Local: time to see whether a quorum is still heard from. */
  checkQuorum: 12,
  transferLeader: 13,
  timeoutNow: 14,
  readIndex: 15,
  readIndexResp: 16,
  preVote: 17,
  preVoteResp: 18,
  /** Local in etcd's library; unused here, where `Ready` and `persisted` do their work. */
  storageAppend: 19,
  storageAppendResp: 20,
  storageApply: 21,
  storageApplyResp: 22,
  forgetLeader: 23,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** raftpb.Snapshot. Between members `data` is empty or small: the state itself travels as a file beside it. */
export interface Snapshot {
  readonly metadata: SnapshotMark;
  readonly data: Uint8Array;
}

/**
 * raftpb.Message. Every field is always there (zero when raftpb would leave it out), so that all messages have one
 * hidden class. A message is never changed after it is made.
 */
export interface Message {
  readonly type: MessageType;
  readonly to: MemberId;
  readonly from: MemberId;
  /** The sender's term; 0 in local messages, proposals and read requests. */
  readonly term: Term;
  /** app: the term of the entry at `index`. vote: the term of the candidate's last entry. */
  readonly logTerm: Term;
  /** app: the entry before `entries`. appResp: the last matching entry, or the one that was refused. */
  readonly index: RaftIndex;
  readonly entries: readonly Entry[];
  readonly commit: RaftIndex;
  /** Only in raftpb's local storage messages. */
  readonly vote: MemberId;
  readonly snapshot: Snapshot | undefined;
  readonly reject: boolean;
  /** appResp with `reject`: where the follower's log may still match; `logTerm` is its term there. */
  readonly rejectHint: RaftIndex;
  readonly context: Uint8Array;
}

export const noEntries: readonly Entry[] = [];
export const noBytes: Uint8Array = new Uint8Array(0);

/** A message with all its fields. */
export function makeMessage(fields: Partial<Message> & { readonly type: MessageType }): Message {
  return {
    type: fields.type,
    to: fields.to ?? noMember,
    from: fields.from ?? noMember,
    term: fields.term ?? (0 as Term),
    logTerm: fields.logTerm ?? (0 as Term),
    index: fields.index ?? (0 as RaftIndex),
    entries: fields.entries ?? noEntries,
    commit: fields.commit ?? (0 as RaftIndex),
    vote: fields.vote ?? noMember,
    snapshot: fields.snapshot,
    reject: fields.reject ?? false,
    rejectHint: fields.rejectHint ?? (0 as RaftIndex),
    context: fields.context ?? noBytes,
  };
}
