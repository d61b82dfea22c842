/**
 * A member made of Raft and the peer transport alone, with its log and its state in memory: just enough to be one of a
 * cluster of real etcds. It never restarts.
 */
import { mkdirSync } from "node:fs";
import { create, toBinary } from "@bufbuild/protobuf";
import { decodeRaftRequest, encodeRaftRequest, raftField } from "../../../src/codec/raft-internal.ts";
import { ClusterMemberAttrSetRequestSchema } from "../../../src/gen/membershippb/membership_pb.ts";
import type { ClusterId, LeaseId, MemberId, RaftIndex, Term } from "../../../src/lib/ids.ts";
import type { Logger } from "../../../src/lib/logger.ts";
import { Metrics } from "../../../src/lib/metrics.ts";
import { type Entry, EntryType } from "../../../src/lib/raft-entry.ts";
import type { Message } from "../../../src/lib/raft-message.ts";
import { type Member, memberFromJson } from "../../../src/membership/member.ts";
import { freshStart } from "../../../src/raft/bootstrap.ts";
import { ConfChangeType } from "../../../src/raft/confchange/types.ts";
import { decodeConfChange, decodeConfChangeV2 } from "../../../src/raft/confchange/wire.ts";
import type { RaftLogger } from "../../../src/raft/config.ts";
import { RawNode } from "../../../src/raft/raw-node.ts";
import { nodeDisk } from "../../../src/runtime/disk.ts";
import { systemClock } from "../../../src/runtime/system-clock.ts";
import type { OutgoingSnapshot } from "../../../src/transport/peer/contracts.ts";
import { HttpClient } from "../../../src/transport/peer/http1/client.ts";
import { defaultHttp1Limits } from "../../../src/transport/peer/http1/limits.ts";
import { fetchCluster } from "../../../src/transport/peer/join/remote-cluster.ts";
import { fetchVersions } from "../../../src/transport/peer/join/remote-versions.ts";
import { PeerServer } from "../../../src/transport/peer/peer-server.ts";
import { PeerTransport } from "../../../src/transport/peer/peer-transport.ts";
import { createPeerRoutes } from "../../../src/transport/peer/routes.ts";
import { FileSnapshotSink } from "../../../src/transport/peer/snapshot/file-sink.ts";

export interface JoinOptions {
  /** Its peer URL, under which it was added to the cluster. */
  readonly url: string;
  readonly others: readonly string[];
  /** Where snapshots are kept. */
  readonly folder: string;
  readonly logger: Logger;
  /** A database file of the state at `index`, for a member that needs one. */
  readonly database: (index: RaftIndex) => Promise<Uint8Array>;
}

const tickMs = 100;
const electionTicks = 10;
/** What every lease is said to have left, to see that it was this member who said so. */
export const pretendedTtlSeconds = 4711;

export class BareMember {
  readonly id: MemberId;
  readonly node: RawNode;
  readonly transport: PeerTransport;
  readonly server: PeerServer;
  readonly sink: FileSnapshotSink;
  readonly members = new Map<MemberId, Member>();
  readonly metrics = new Metrics();
  /** The newest value of each key that a put in the log has set. */
  readonly values = new Map<string, Uint8Array>();
  readonly snapshots: RaftIndex[] = [];
  readonly received = { messages: 0, entries: 0 };
  isRemoved = false;
  readonly #removed = new Set<MemberId>();
  readonly #options: JoinOptions;
  #turn = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(options: JoinOptions, clusterId: ClusterId, members: readonly Member[]) {
    this.#options = options;
    const local = members.find(({ peerUrls }) => peerUrls.includes(options.url));
    if (local === undefined) throw new Error(`the cluster has no member with ${options.url}`);
    this.id = local.id;
    for (const member of members) this.members.set(member.id, member);
    const { folder, logger } = options;
    mkdirSync(folder, { recursive: true });
    const config = {
      electionTicks,
      heartbeatTicks: 1,
      randomBelow: (bound: number) => Math.floor(Math.random() * bound),
    };
    this.node = new RawNode({ id: this.id, ...config, logger: raftLogger(logger) }, freshStart);
    this.sink = new FileSnapshotSink({ disk: nodeDisk, dir: folder, verify: async () => {} });
    this.transport = new PeerTransport({
      localId: this.id,
      clusterId,
      localUrls: [options.url],
      raft: {
        onMessages: (messages) => this.#receive(messages),
        onSnapshot: async (message) => {
          this.snapshots.push(message.snapshot!.metadata.index);
          this.#receive([message]);
        },
        onUnreachable: (id) => this.node.reportUnreachable(id),
        onSnapshotStatus: (id, ok) => this.node.reportSnapshot(id, ok),
        isRemoved: (id) => this.#removed.has(id),
        onLocalRemoved: () => {
          this.isRemoved = true;
        },
      },
      snapshotSource: { open: () => this.#openSnapshot() },
      snapshotSink: this.sink,
      clock: systemClock,
      logger,
      metrics: this.metrics,
      dialTimeoutMs: 1_000 + electionTicks * tickMs,
    });
    const byId = () => [...this.members.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    const routes = createPeerRoutes({
      transport: this.transport,
      members: {
        members: byId,
        versions: () => ({ etcdserver: "3.7.3", etcdcluster: "3.7.0", storage: "3.7.0" }),
      },
      leases: {
        whenCaughtUp: (callback) => callback(),
        renew: async () => ({ ttlSeconds: pretendedTtlSeconds }),
        timeToLive: async (id: LeaseId) => ({
          ttlSeconds: pretendedTtlSeconds,
          grantedTtlSeconds: pretendedTtlSeconds + 1,
          keys: [new TextEncoder().encode(`key of ${id}`)],
        }),
      },
      clock: systemClock,
      logger,
    });
    this.server = new PeerServer({ routes, clock: systemClock, logger });
  }

  /** Learns the cluster from those that are there, checks that it fits, and begins. */
  static async join(options: JoinOptions): Promise<BareMember> {
    const { logger } = options;
    const client = new HttpClient({ clock: systemClock, limits: defaultHttp1Limits, dialTimeoutMs: 1_000 });
    const ask = { client, logger, timeoutMs: 5_000 };
    try {
      const { clusterId, members } = await fetchCluster(options.others, ask);
      const member = new BareMember(options, clusterId, members);
      for (const other of members.filter(({ id }) => id !== member.id)) {
        const versions = await fetchVersions(other, ask);
        if (versions?.etcdcluster === "3.7.0") {
          await member.#start();
          return member;
        }
      }
      throw new Error("incompatible with current running cluster");
    } finally {
      client.close();
    }
  }

  async #start(): Promise<void> {
    await this.server.listenAll([this.#options.url]);
    for (const { id, peerUrls } of this.members.values())
      if (id !== this.id) this.transport.addPeer(id, peerUrls);
    this.#timer = setInterval(() => {
      this.node.tick();
      this.#process();
    }, tickMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.transport.stop();
    await this.server.close(500);
  }

  /** Tells the cluster its name, as every member does when it has started: a proposal that the leader gets. */
  publish(name: string): void {
    const memberAttributes = { name, clientUrls: [this.#options.url] };
    const request = create(ClusterMemberAttrSetRequestSchema, { memberID: this.id, memberAttributes });
    const header = { id: 1n, username: "", authRevision: 0 };
    const bytes = toBinary(ClusterMemberAttrSetRequestSchema, request);
    const data = encodeRaftRequest(header, raftField.clusterMemberAttrSet, bytes);
    const entry: Entry = { type: EntryType.normal, term: 0 as Term, index: 0 as RaftIndex, data };
    const refusal = this.node.propose([entry]);
    if (refusal !== undefined) throw new Error(`cannot propose: ${refusal}`);
    this.#process();
  }

  /** From now on members that need what is older than the newest entry get a snapshot. */
  compact(): void {
    this.node.createSnapshot(this.node.appliedIndex, this.node.confState);
    this.node.compactLog(this.node.appliedIndex);
  }

  #receive(messages: readonly Message[]): void {
    this.received.messages += messages.length;
    for (const message of messages) {
      this.received.entries += message.entries.length;
      this.node.step(message);
    }
    // What came in one turn is worked on together.
    if (this.#turn) return;
    this.#turn = true;
    setImmediate(() => {
      this.#turn = false;
      this.#process();
    });
  }

  #process(): void {
    while (this.node.hasReady()) {
      const ready = this.node.ready();
      this.transport.send(ready.messages);
      if (ready.token !== 0) this.node.persisted(ready.token);
      if (ready.committedEntries.length === 0) continue;
      for (const entry of ready.committedEntries) this.#apply(entry);
      this.node.applied(ready.committedEntries.at(-1)!.index);
    }
  }

  #apply(entry: Entry): void {
    if (entry.type === EntryType.confChangeV2) {
      this.node.applyConfChange(decodeConfChangeV2(entry.data));
    } else if (entry.type === EntryType.confChange) {
      const change = decodeConfChange(entry.data);
      this.node.applyConfChange(change);
      this.#applyMembership(change.type, change.nodeId, new TextDecoder().decode(change.context));
    } else if (entry.data.length > 0) {
      const { body } = decodeRaftRequest(entry.data);
      if (body.kind === "put") this.values.set(new TextDecoder().decode(body.put.key), body.put.value);
    }
  }

  #applyMembership(type: number, id: MemberId, json: string): void {
    if (type === ConfChangeType.removeNode) {
      this.members.delete(id);
      this.#removed.add(id);
      if (id !== this.id) this.transport.removePeer(id);
      return;
    }
    const { isPromote: _, ...member } = memberFromJson(id, json);
    this.members.set(id, member);
    if (id !== this.id) this.transport.addPeer(id, member.peerUrls);
  }

  async #openSnapshot(): Promise<OutgoingSnapshot> {
    const { appliedIndex, confState } = this.node;
    const metadata = this.node.createSnapshot(appliedIndex, confState);
    const database = await this.#options.database(appliedIndex);
    return {
      snapshot: { metadata, data: new Uint8Array(0) },
      sizeBytes: database.length,
      chunks: (async function* () {
        for (let at = 0; at < database.length; at += 65_536) yield database.subarray(at, at + 65_536);
      })(),
      close: async () => {},
    };
  }
}

function raftLogger(logger: Logger): RaftLogger {
  return {
    debug: (message) => logger.debug(message),
    info: (message) => logger.info(message),
    warn: (message) => logger.warn(message),
  };
}
