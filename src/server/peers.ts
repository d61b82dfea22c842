/**
 * What the server needs of the other members: messages of Raft, snapshots, and the few questions that members ask each
 * other beside the log. Whoever wires a server makes these from a transport; one that is alone has `noPeers`.
 */
import type { LeaseId, MemberId } from "../lib/ids.ts";
import type { Message } from "../lib/raft-message.ts";
import type { Member } from "../membership/member.ts";

/** A snapshot on its way to a member: a message of Raft, and the store as etcd's database file. */
export interface OutgoingSnapshot {
  readonly message: Message;
  /** Of the file. */
  readonly totalBytes: number;
  /** The file's next bytes, `undefined` for a pause; done at its end. */
  readonly chunks: Generator<Uint8Array | undefined, void, undefined>;
  /** Lets go of the store. To be called at the end, whichever way it ended. */
  close(): void;
}

/** What a member says of itself at `/version`. */
export interface MemberVersions {
  /** As "3.7.3". */
  readonly server: string;
  /** As "3.7.0", or "not_decided". */
  readonly cluster: string;
}

/** What a leader knows of a lease. */
export interface LeaseTimes {
  readonly grantedTtlSeconds: number;
  readonly remainingSeconds: number;
  readonly keys: readonly Uint8Array[];
}

/** What a member says of its data at a revision. */
export interface PeerHash {
  readonly hash: number;
  readonly compactRevision: number;
  readonly hashRevision: number;
  /** The member's newest one. */
  readonly revision: number;
}

export interface Peers {
  /** Sends each message to the member it is for, or loses it; never a MsgSnap. What an entry has in `decoded` stays here. */
  send(messages: readonly Message[]): void;
  /** Sends a snapshot and calls `done` once, with whether the member has all of it. */
  sendSnapshot(snapshot: OutgoingSnapshot, done: (ok: boolean) => void): void;
  /** Begins to talk to a member, or goes on at its new URLs if it is known. */
  add(member: Member): void;
  remove(id: MemberId): void;
  /** Leaves what leaders append unread until `resumeAppends`, so that they wait: the store cannot keep up. Heartbeats and
   * all else go on. */
  pauseAppends(): void;
  resumeAppends(): void;
  /** Since when there is a connection with a member, in milliseconds of the server's monotonic clock; undefined when there
   * is none. */
  activeSinceMs(id: MemberId): number | undefined;

  /** Rejects when the member cannot be asked. */
  versions(member: Member): Promise<MemberVersions>;
  /** The hash of a member's data at a revision (0: its newest), asked at one of its peer URLs. Rejects with ErrCompacted,
   * ErrFutureRev or ErrClusterIDMismatch when the member says so, with anything else when it could not be asked. */
  hashKv(member: Member, url: string, revision: number): Promise<PeerHash>;
  /** Has the leader renew a lease: gives its time to live in seconds. Rejects with ErrLeaseNotFound when the leader says so,
   * with anything else when it could not be asked or does not lead. */
  renewLease(leader: Member, id: LeaseId): Promise<number>;
  /** The same for what the leader knows of a lease. */
  leaseTimes(leader: Member, id: LeaseId, withKeys: boolean): Promise<LeaseTimes>;
  /** Has the leader promote a learner: gives the members there are then. Rejects with ErrLearnerNotReady, ErrMemberNotFound or ErrMemberNotLearner when the
   * leader says so, with anything else when it could not be asked. */
  promote(leader: Member, id: MemberId): Promise<Member[]>;
}

const unreachable = (): Promise<never> => Promise.reject(new Error("there are no other members"));

/** For a member that is alone. */
export const noPeers: Peers = {
  send() {},
  sendSnapshot(snapshot, done) {
    snapshot.close();
    done(false);
  },
  add() {},
  remove() {},
  pauseAppends() {},
  resumeAppends() {},
  activeSinceMs: () => undefined,
  versions: unreachable,
  hashKv: unreachable,
  renewLease: unreachable,
  leaseTimes: unreachable,
  promote: unreachable,
};
