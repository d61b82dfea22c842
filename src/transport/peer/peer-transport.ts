/**
 * Messages to and from the other members of the cluster, by etcd's own protocol. `send` carries them out; requests of
 * the others come in through `routes.ts`. DESIGN.md shows who connects to whom.
 */
import { assert } from "../../lib/assert.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import { type Message, MessageType } from "../../lib/raft-message.ts";
import { formatId } from "../../membership/member.ts";
import { messageName } from "../../raft/message.ts";
import { etcdVersion } from "../../server/versions.ts";
import type { LocalIdentity } from "./cluster-headers.ts";
import type { OutgoingSnapshot, PeerTransportOptions, SnapshotSink } from "./contracts.ts";
import { HttpClient } from "./http1/client.ts";
import { defaultPeerLimits, type PeerLimits } from "./limits.ts";
import { Peer, type PeerEnvironment } from "./peer.ts";
import { PeerMetrics, type PeerSeries } from "./peer-metrics.ts";
import { Remote } from "./remote.ts";
import { Reports } from "./reports.ts";
import { minClusterVersion } from "./version.ts";

export class PeerTransport {
  readonly local: LocalIdentity;
  readonly limits: PeerLimits;
  /** For requests to other members that are none of Raft's: members, versions, leases. */
  readonly client: HttpClient;
  readonly #options: PeerTransportOptions;
  readonly #logger: Logger;
  readonly #metrics: PeerMetrics;
  readonly #reports: Reports;
  readonly #environment: PeerEnvironment;
  readonly #peers = new Map<MemberId, Peer>();
  readonly #remotes = new Map<MemberId, Remote>();
  #appendsPaused = false;
  #isStopped = false;
  #toldRemoved = false;

  constructor(options: PeerTransportOptions) {
    const { clock, raft, dialTimeoutMs, snapshotSource, logger } = options;
    this.#options = options;
    this.#logger = logger.at("transport/peer/peer-transport.ts");
    this.limits = { ...defaultPeerLimits, ...options.limits };
    this.local = {
      id: options.localId,
      clusterId: options.clusterId,
      urls: options.localUrls,
      serverVersion: options.serverVersion ?? etcdVersion,
      minClusterVersion: options.minClusterVersion ?? minClusterVersion,
    };
    const { tls, localAddress } = options;
    this.client = new HttpClient({ clock, limits: this.limits.http, dialTimeoutMs, tls, localAddress });
    this.#metrics = new PeerMetrics(options.metrics, options.localId);
    this.#reports = new Reports(raft);
    this.#environment = {
      local: this.local,
      client: this.client,
      snapshotSource,
      limits: this.limits,
      clock,
      logger,
      dialTimeoutMs,
      snapshots: { sending: 0 },
      onMessages: (_from, messages) => this.#onMessages(messages),
      onUnreachable: (id) => this.#reports.unreachable(id),
      onSnapshotStatus: (id, ok) => this.#reports.snapshot(id, ok),
      onLocalRemoved: () => this.#onLocalRemoved(),
    };
  }

  /**
   * Sends; never waits, and calls nobody back before it returns. What cannot be sent is dropped, and `onUnreachable`
   * comes afterwards, as it does for whatever is lost later on. Messages to strangers and to nobody are ignored.
   */
  send(messages: readonly Message[]): void {
    if (this.#isStopped) return;
    for (const message of messages) {
      const peer = this.#peers.get(message.to);
      if (peer !== undefined) peer.send(message);
      else this.#sendToStranger(message);
    }
  }

  /**
   * Sends a snapshot that is open already; closes it in the end. `done` is told once whether the member has it, never
   * before this returns; `onSnapshotStatus` is not called.
   */
  sendSnapshot(message: Message, opened: OutgoingSnapshot, done: (ok: boolean) => void): void {
    const peer = this.#peers.get(message.to);
    if (peer === undefined || this.#isStopped) {
      void opened.close().finally(() => done(false));
      return;
    }
    let wasOpened = false;
    const open = async (): Promise<OutgoingSnapshot> => {
      wasOpened = true;
      return opened;
    };
    peer.sendSnapshot(message, open, (ok) => {
      void (wasOpened ? Promise.resolve() : opened.close()).finally(() => done(ok));
    });
  }

  #sendToStranger(message: Message): void {
    const isSnapshot = message.type === MessageType.snap;
    const remote = isSnapshot ? undefined : this.#remotes.get(message.to);
    if (remote !== undefined) {
      remote.send(message);
      return;
    }
    if (isSnapshot) this.#reports.snapshot(message.to, false);
    if (message.to === 0n || message.to === this.local.id || !this.#logger.enabled("debug")) return;
    this.#logger.debug("ignored message send request; unknown remote peer target", {
      type: messageName(message.type),
      "unknown-target-peer-id": formatId(message.to),
    });
  }

  /** A member of the cluster, other than this one. Nothing happens if it is there. Throws if `urls` are none. */
  addPeer(id: MemberId, urls: readonly string[]): void {
    assert(id !== this.local.id, "peer: a member is not its own peer");
    if (this.#isStopped || this.#peers.has(id)) return;
    this.#remotes.get(id)?.stop();
    this.#remotes.delete(id);
    const peer = new Peer(id, urls, this.#metrics.of(id), this.#environment);
    if (this.#appendsPaused) peer.pauseAppends();
    this.#peers.set(id, peer);
    this.#log("added remote peer", { "remote-peer-id": formatId(id), "remote-peer-urls": urls });
  }

  removePeer(id: MemberId): void {
    const peer = this.#peers.get(id);
    const fields = { "removed-remote-peer-id": formatId(id) };
    if (peer === undefined) {
      this.#logger.warn("skipped removing already removed peer", {
        "local-member-id": formatId(this.local.id),
        ...fields,
      });
      return;
    }
    this.#peers.delete(id);
    peer.stop();
    this.#log("removed remote peer", fields);
  }

  /** Nothing happens if it is not there. Throws if `urls` are none. */
  updatePeer(id: MemberId, urls: readonly string[]): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.update(urls);
    this.#log("updated remote peer", {
      "updated-remote-peer-id": formatId(id),
      "updated-remote-peer-urls": urls,
    });
  }

  /** Since when this member is reached, on the clock's monotonic scale; undefined if it is not, or is unknown. */
  activeSince(id: MemberId): number | undefined {
    return this.#peers.get(id)?.status.activeSinceMs;
  }

  /** How many members are reached. */
  get activePeers(): number {
    return [...this.#peers.values()].filter((peer) => peer.status.isActive).length;
  }

  /** Leaves appends unread, so that their senders wait: for a member that has enough to do already. */
  pauseAppends(): void {
    this.#appendsPaused = true;
    for (const peer of this.#peers.values()) peer.pauseAppends();
  }

  resumeAppends(): void {
    this.#appendsPaused = false;
    for (const peer of this.#peers.values()) peer.resumeAppends();
  }

  /** Ends all connections. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    for (const peer of this.#peers.values()) peer.stop();
    for (const remote of this.#remotes.values()) remote.stop();
    this.#peers.clear();
    this.#remotes.clear();
    this.#reports.stop();
    this.client.close();
  }

  // For what comes in: see handlers/.

  peer(id: MemberId): Peer | undefined {
    return this.#peers.get(id);
  }

  isRemoved(id: MemberId): boolean {
    return this.#options.raft.isRemoved(id);
  }

  get snapshotSink(): SnapshotSink {
    return this.#options.snapshotSink;
  }

  /** The file of a snapshot is in its place. Rejects if Raft cannot have it. */
  async deliverSnapshot(message: Message): Promise<void> {
    if (this.#isStopped) throw new Error("stopped");
    await this.#options.raft.onSnapshot(message);
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** The series about whoever sent something: of members only, so that strangers cannot fill the memory with series. */
  seriesOf(id: MemberId | undefined): PeerSeries {
    const isKnown = id !== undefined && (this.#peers.has(id) || this.#remotes.has(id));
    return isKnown ? this.#metrics.of(id) : this.#metrics.ofStrangers;
  }

  /** Someone of this cluster that is not known yet says how to reach it. */
  addRemote(id: MemberId, urls: readonly string[]): void {
    if (this.#isStopped || id === this.local.id || this.#peers.has(id) || this.#remotes.has(id)) return;
    if (this.isRemoved(id) || this.#remotes.size >= this.limits.remotes) return;
    try {
      this.#remotes.set(id, new Remote(id, urls, this.#metrics.of(id), this.#environment));
    } catch (error) {
      this.#logger.warn("ignored URLs of a remote peer", {
        "remote-peer-id": formatId(id),
        error: (error as Error).message,
      });
      return;
    }
    this.#log("added new remote peer", { "remote-peer-id": formatId(id), "remote-peer-urls": urls });
  }

  /** Messages that came in by a post, checked. */
  deliver(messages: readonly Message[]): void {
    if (!this.#isStopped) this.#options.raft.onMessages(messages);
  }

  #onMessages(messages: readonly Message[]): void {
    if (this.#isStopped) return;
    const good = messages.every((message) => this.#isForUs(message))
      ? messages
      : messages.filter((message) => this.#isForUs(message));
    if (good.length > 0) this.#options.raft.onMessages(good);
  }

  #isForUs(message: Message): boolean {
    if (message.to !== this.local.id) {
      this.#logger.warn("rejected Raft message to mismatch member", {
        "local-member-id": formatId(this.local.id),
        "mismatch-member-id": formatId(message.to),
      });
      return false;
    }
    if (this.isRemoved(message.from)) {
      this.#logger.warn("rejected Raft message from removed member", {
        "local-member-id": formatId(this.local.id),
        "removed-member-id": formatId(message.from),
      });
      return false;
    }
    // A snapshot comes by a post of its own: without its file it is of no use.
    return message.type !== MessageType.snap;
  }

  #onLocalRemoved(): void {
    if (this.#toldRemoved || this.#isStopped) return;
    this.#toldRemoved = true;
    this.#options.raft.onLocalRemoved();
  }

  #log(text: string, fields: Record<string, string | readonly string[]>): void {
    this.#logger.info(text, { "local-member-id": formatId(this.local.id), ...fields });
  }
}
