/** The transport between simulated members, as a server sees it. */
import { errors } from "../../../src/errors/table.ts";
import type { LeaseId, MemberId } from "../../../src/lib/ids.ts";
import type { Message } from "../../../src/lib/raft-message.ts";
import type { Member } from "../../../src/membership/member.ts";
import type {
  LeaseTimes,
  MemberVersions,
  OutgoingSnapshot,
  PeerHash,
  Peers,
} from "../../../src/server/peers.ts";
import type { Network } from "./network.ts";
import type { SimMember } from "./sim-member.ts";

/** Bytes of a snapshot that a simulated connection takes in a millisecond. */
const snapshotBytesPerMs = 20_000;

export class SimPeers implements Peers {
  readonly #network: Network;
  readonly #local: SimMember;
  /** The process that this transport belongs to. */
  readonly #incarnation: number;
  readonly #known = new Set<MemberId>();

  constructor(network: Network, local: SimMember) {
    this.#network = network;
    this.#local = local;
    this.#incarnation = local.incarnation;
  }

  get #isOver(): boolean {
    return this.#local.incarnation !== this.#incarnation;
  }

  send(messages: readonly Message[]): void {
    if (this.#isOver) return;
    for (const message of messages) {
      if (this.#known.has(message.to)) this.#network.sendMessage(this.#local, message);
    }
  }

  sendSnapshot(snapshot: OutgoingSnapshot, done: (ok: boolean) => void): void {
    const { chunks, message } = snapshot;
    const parts: Uint8Array[] = [];
    const clock = this.#local.clock!;
    const pull = () => {
      if (this.#isOver) return;
      let bytes = 0;
      try {
        while (bytes < snapshotBytesPerMs) {
          const { done: ended, value } = chunks.next();
          if (ended) {
            this.#deliver(message, parts, done);
            return;
          }
          // The bytes of a chunk may be used again for the next one.
          if (value !== undefined) parts.push(value.slice());
          bytes += value?.length ?? 1000;
        }
      } catch {
        done(false);
        return;
      }
      clock.after(1, pull);
    };
    clock.nextTurn(pull);
  }

  #deliver(message: Message, parts: readonly Uint8Array[], done: (ok: boolean) => void): void {
    const answer = this.#ask(message.to, (to) => to.receiveSnapshot(message, joined(parts)));
    answer.then(
      () => done(true),
      () => done(false),
    );
  }

  add(member: Member): void {
    this.#known.add(member.id);
  }

  /** Requests say where their sender is, so that a member that joins can answer those who know it. */
  heardFrom(id: MemberId): void {
    this.#known.add(id);
  }

  remove(id: MemberId): void {
    this.#known.delete(id);
  }

  // A simulated connection has no stream that could be left unread.
  pauseAppends(): void {}
  resumeAppends(): void {}

  activeSinceMs(id: MemberId): number | undefined {
    const sinceMs = this.#network.connectedSinceMs(this.#local, id);
    if (sinceMs === undefined || !this.#known.has(id)) return undefined;
    return this.#local.clock!.monotonicAt(sinceMs);
  }

  versions(member: Member): Promise<MemberVersions> {
    return this.#ask(member.id, async ({ server }) => ({
      server: server.versions.server,
      cluster: server.cluster.version ?? "not_decided",
    }));
  }

  hashKv(member: Member, _url: string, revision: number): Promise<PeerHash> {
    return this.#ask(member.id, ({ server }) => server.peerHash(revision));
  }

  renewLease(leader: Member, id: LeaseId): Promise<number> {
    return this.#ask(leader.id, ({ server }) => server.renewLeaseHere(id));
  }

  leaseTimes(leader: Member, id: LeaseId, withKeys: boolean): Promise<LeaseTimes> {
    return this.#ask(leader.id, ({ server }) => server.leaseTimesHere(id, withKeys));
  }

  promote(leader: Member, id: MemberId): Promise<Member[]> {
    return this.#ask(leader.id, ({ server }) => server.members.promoteHere(id));
  }

  #ask<T>(id: MemberId, answer: (to: LiveMember) => Promise<T>): Promise<T> {
    if (!this.#known.has(id)) return Promise.reject(new Error("unknown peer"));
    return this.#network.ask(this.#local, id, (station) => {
      const to = station as SimMember;
      return to.server === undefined ? Promise.reject(errors.stopped()) : answer(to as LiveMember);
    });
  }
}

type LiveMember = SimMember & { readonly server: NonNullable<SimMember["server"]> };

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
