/** Keeps the transport's list of members equal to the cluster's. */
import type { Clock } from "../../lib/clock.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { Cluster } from "../../membership/cluster.ts";
import type { Member } from "../../membership/member.ts";
import type { Peers } from "../peers.ts";

export interface PeerSetOptions {
  readonly cluster: Cluster;
  readonly peers: Pick<Peers, "add" | "remove">;
  readonly clock: Clock;
  /** How long a removed member is still talked to: a leader that is removed hands over what it can. */
  readonly partingMs: number;
}

export class PeerSet {
  readonly #options: PeerSetOptions;
  /** The peer URLs under which members are known to the transport. */
  readonly #known = new Map<MemberId, string>();

  constructor(options: PeerSetOptions) {
    this.#options = options;
  }

  /** Members that a joining one was told of, before it has the log that says so. */
  addRemotes(members: readonly Member[]): void {
    for (const member of members) this.#add(member);
  }

  /** The members have changed. */
  sync(): void {
    const { cluster } = this.#options;
    for (const member of cluster.members()) this.#add(member);
    for (const id of this.#known.keys()) if (cluster.isRemoved(id)) this.#removeLater(id);
  }

  #add(member: Member): void {
    const { cluster, peers } = this.#options;
    if (member.id === cluster.localId) return;
    const urls = member.peerUrls.join(",");
    if (this.#known.get(member.id) === urls) return;
    this.#known.set(member.id, urls);
    peers.add(member);
  }

  /** A removed id never comes back. */
  #removeLater(id: MemberId): void {
    const { clock, peers, partingMs } = this.#options;
    this.#known.delete(id);
    clock.after(partingMs, () => peers.remove(id));
  }
}
