/** Members without a Raft: they keep what they get, for tests to look at. */
import type { TlsOptions } from "node:tls";
import type { ClusterId, MemberId, RaftIndex, Term } from "../../../lib/ids.ts";
import { Metrics } from "../../../lib/metrics.ts";
import { type Entry, emptyConfState } from "../../../lib/raft-entry.ts";
import { type Message, MessageType, makeMessage } from "../../../lib/raft-message.ts";
import { type RecordedLine, recordingLogger } from "../../../lib/testing/recording-logger.ts";
import { systemClock } from "../../../runtime/system-clock.ts";
import type { IncomingSnapshot, OutgoingSnapshot, PeerTransportOptions } from "../contracts.ts";
import { joined } from "../http1/plain.ts";
import type { PeerLimits } from "../limits.ts";
import { PeerServer } from "../peer-server.ts";
import { PeerTransport } from "../peer-transport.ts";
import { createPeerRoutes, type PeerRoutesOptions } from "../routes.ts";

export const testCluster = 0xc1n as ClusterId;

/** Shorter than the real ones, so that tests of them end. */
export const testLimits: Partial<PeerLimits> = {
  redialMinMs: 10,
  redialMaxMs: 50,
  streamTimeoutMs: 1_000,
  linkHeartbeatMs: 300,
  probeIntervalMs: 50,
  probeReportMs: 100,
};

export interface TestMemberOptions extends Partial<PeerTransportOptions> {
  readonly id: number;
  readonly port?: number;
  /** Instead of a port of 127.0.0.1. */
  readonly listenUrl?: string;
  readonly serverTls?: TlsOptions;
  readonly routes?: Partial<PeerRoutesOptions>;
}

export class TestMember {
  readonly id: MemberId;
  readonly transport: PeerTransport;
  readonly server: PeerServer;
  readonly metrics = new Metrics();
  readonly received: Message[] = [];
  readonly unreachable: MemberId[] = [];
  readonly snapshotStatus: { id: MemberId; ok: boolean }[] = [];
  readonly removed = new Set<MemberId>();
  readonly log: RecordedLine[] = [];
  /** The databases that came with snapshots, by index. */
  readonly snapshots = new Map<number, Uint8Array>();
  aborted = 0;
  localRemoved = 0;
  /** What a snapshot that is asked for holds. */
  database: Iterable<Uint8Array> | AsyncIterable<Uint8Array> = [];
  closedSnapshots = 0;
  port = 0;
  url = "";

  private constructor(options: TestMemberOptions) {
    this.id = BigInt(options.id) as MemberId;
    const logger = recordingLogger(this.log);
    this.transport = new PeerTransport({
      localId: this.id,
      clusterId: testCluster,
      localUrls: [],
      raft: {
        onMessages: (messages) => void this.received.push(...messages),
        onSnapshot: async (message) => void this.received.push(message),
        onUnreachable: (id) => void this.unreachable.push(id),
        onSnapshotStatus: (id, ok) => void this.snapshotStatus.push({ id, ok }),
        isRemoved: (id) => this.removed.has(id),
        onLocalRemoved: () => {
          this.localRemoved++;
        },
      },
      snapshotSource: { open: async (message) => this.#openSnapshot(message) },
      snapshotSink: { open: async (message) => this.#receiveSnapshot(message) },
      clock: systemClock,
      logger,
      metrics: this.metrics,
      dialTimeoutMs: 1_000,
      ...options,
      limits: { ...testLimits, ...options.limits },
    });
    const { limits } = this.transport;
    const routes = createPeerRoutes({
      transport: this.transport,
      members: {
        members: () => [],
        versions: () => ({ etcdserver: "3.7.3", etcdcluster: "3.7.0", storage: "3.7.0" }),
      },
      clock: systemClock,
      logger,
      ...options.routes,
    });
    this.server = new PeerServer({ routes, clock: systemClock, logger, limits });
  }

  static async start(options: TestMemberOptions): Promise<TestMember> {
    const member = new TestMember(options);
    const scheme = options.serverTls === undefined ? "http" : "https";
    const url = options.listenUrl ?? `${scheme}://127.0.0.1:${options.port ?? 0}`;
    const [listener] = await member.server.listenAll([url], options.serverTls);
    member.port = listener!.port ?? 0;
    member.url = url.replace(/:\d+$/, `:${member.port}`);
    return member;
  }

  async stop(): Promise<void> {
    this.transport.stop();
    await this.server.close(500);
  }

  logged(pattern: RegExp): RecordedLine | undefined {
    return this.log.find(({ message, fields }) => pattern.test(`${message} ${JSON.stringify(fields)}`));
  }

  async #openSnapshot(message: Message): Promise<OutgoingSnapshot> {
    const { database } = this;
    return {
      snapshot: message.snapshot!,
      sizeBytes: 0,
      chunks: (async function* () {
        yield* database;
      })(),
      close: async () => {
        this.closedSnapshots++;
      },
    };
  }

  async #receiveSnapshot(message: Message): Promise<IncomingSnapshot> {
    const chunks: Uint8Array[] = [];
    return {
      write: async (chunk) => void chunks.push(chunk),
      commit: async () => void this.snapshots.set(message.snapshot!.metadata.index, joined(chunks)),
      abort: async () => {
        this.aborted++;
      },
    };
  }
}

/** Starts members that know each other. */
export async function startMembers(
  count: number,
  options: Partial<TestMemberOptions> = {},
): Promise<TestMember[]> {
  const members: TestMember[] = [];
  for (let id = 1; id <= count; id++) members.push(await TestMember.start({ ...options, id }));
  for (const member of members) introduce(member, members);
  return members;
}

export function introduce(member: TestMember, members: readonly TestMember[]): void {
  for (const other of members) if (other.id !== member.id) member.transport.addPeer(other.id, [other.url]);
}

/** Waits until `condition` holds; throws with `what` if it does not in time. */
export async function until(what: string, condition: () => boolean, timeoutMs = 60_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Until each of them has had all four streams with the others, in a cluster of `count`. */
export async function untilConnected(members: readonly TestMember[], count = members.length): Promise<void> {
  const pattern = "established TCP streaming connection with remote peer";
  const wanted = (count - 1) * 4;
  await until("all streams stand", () =>
    members.every(({ log }) => log.filter(({ message }) => message === pattern).length >= wanted),
  );
}

// Messages.

export function heartbeat(from: TestMember, to: TestMember, commit = 0): Message {
  const numbers = { term: 1 as Term, commit: commit as RaftIndex };
  return makeMessage({ type: MessageType.heartbeat, from: from.id, to: to.id, ...numbers });
}

/** An append of `count` entries of `bytes` each after `index`. */
export function append(
  from: TestMember,
  to: TestMember,
  index: number,
  count: number,
  bytes: number,
): Message {
  const term = 1 as Term;
  const entries: Entry[] = Array.from({ length: count }, (_, i) => ({
    type: 0,
    term,
    index: (index + i + 1) as RaftIndex,
    data: new Uint8Array(bytes).fill(index + i),
  }));
  const at = { index: index as RaftIndex, term, logTerm: term, commit: index as RaftIndex };
  return makeMessage({ type: MessageType.app, from: from.id, to: to.id, entries, ...at });
}

export function snapshotMessage(from: TestMember, to: TestMember, index: number): Message {
  const term = 1 as Term;
  const metadata = { index: index as RaftIndex, term, confState: emptyConfState };
  const snapshot = { metadata, data: new Uint8Array(0) };
  return makeMessage({ type: MessageType.snap, from: from.id, to: to.id, term, snapshot });
}
