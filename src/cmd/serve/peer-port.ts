/** The members' port: the transport between members, and what it needs of the server. */
import { mkdir } from "node:fs/promises";
import { DatabaseFile } from "../../bbolt/database-file.ts";
import type { Config } from "../../config/config.ts";
import { EtcdError } from "../../errors/etcd-error.ts";
import { errors } from "../../errors/table.ts";
import type { ClusterId, MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import { exponentialBounds, type Metrics } from "../../lib/metrics.ts";
import { formatId, memberToJson } from "../../membership/member.ts";
import { nodeDisk } from "../../runtime/disk.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import type { EtcdServer } from "../../server/etcd-server.ts";
import type { LeaseSource, PeerRaft, Versions } from "../../transport/peer/contracts.ts";
import type { TlsSource } from "../../transport/peer/http1/dial.ts";
import { PeerServer } from "../../transport/peer/peer-server.ts";
import { PeerTransport } from "../../transport/peer/peer-transport.ts";
import { createPeerRoutes } from "../../transport/peer/routes.ts";
import { FileSnapshotSink } from "../../transport/peer/snapshot/file-sink.ts";
import type { TlsIdentity } from "../../transport/tls/tls-identity.ts";
import { promotePath } from "./cluster.ts";

export interface PeerPortOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Where snapshots of other members are kept while they come in. */
  readonly snapshotDir: string;
  readonly tls: TlsIdentity | undefined;
  /** To call other members from; the system chooses without it. */
  readonly localAddress: string | undefined;
}

/** etcd's metrics of files that came from a leader. */
function savedMetrics(metrics: Metrics) {
  // Stays empty: nothing has to wait for the disk.
  metrics.histogram(
    "etcd_snap_db_fsync_duration_seconds",
    "The latency distributions of fsyncing .snap.db file",
    exponentialBounds(0.001, 2, 14),
  );
  const total = metrics.histogram(
    "etcd_snap_db_save_total_duration_seconds",
    "The total latency distributions of v3 snapshot save",
    exponentialBounds(0.1, 2, 10),
  );
  return {
    monotonicMs: () => systemClock.monotonicMs(),
    onSaved: (seconds: number) => total.observe(seconds),
  };
}

/** Made before the server, for which it carries messages, and given it afterwards. */
export class PeerPort {
  readonly #options: PeerPortOptions;
  readonly #sink: FileSnapshotSink;
  #transport: PeerTransport | undefined;
  #server: EtcdServer | undefined;
  #port: PeerServer | undefined;

  private constructor(options: PeerPortOptions, sink: FileSnapshotSink) {
    this.#options = options;
    this.#sink = sink;
  }

  static async make(options: PeerPortOptions): Promise<PeerPort> {
    await mkdir(options.snapshotDir, { recursive: true, mode: 0o700 });
    const sink = new FileSnapshotSink({
      disk: nodeDisk,
      dir: options.snapshotDir,
      ...savedMetrics(options.metrics),
      verify: async (path) => (await DatabaseFile.open(nodeDisk, path)).close(),
    });
    await sink.removeLeftovers();
    return new PeerPort(options, sink);
  }

  /** For calls to other members. */
  get tls(): TlsSource | undefined {
    const { tls } = this.#options;
    return tls && tlsSource(tls);
  }

  /** The transport of this member, once it is known who it is. */
  connect(ids: { readonly localId: MemberId; readonly clusterId: ClusterId }): PeerTransport {
    const { config, logger, metrics } = this.#options;
    this.#transport = new PeerTransport({
      ...ids,
      localUrls: config.initialAdvertisePeerUrls.map(({ href }) => href),
      raft: this.#raft(),
      snapshotSink: this.#sink,
      clock: systemClock,
      logger,
      metrics,
      dialTimeoutMs: 1_000 + config.electionTimeoutMs,
      limits: {
        streamTimeoutMs: config.raftReadTimeoutMs,
        streamStallTimeoutMs: config.raftWriteTimeoutMs,
      },
      tls: this.tls,
      localAddress: this.#options.localAddress,
    });
    return this.#transport;
  }

  /** Opens the port for `server`. Rejects with the system's error. */
  async open(server: EtcdServer, versions: () => Versions): Promise<void> {
    const { config, logger } = this.#options;
    this.#server = server;
    const routes = createPeerRoutes({
      transport: this.#transport!,
      members: { members: () => server.cluster.members(), versions },
      leases: leasesOf(server),
      hashes: { hashByRevision: (revision) => server.peerHash(revision) },
      fallback: (request) => answerOther(server, request),
      clock: systemClock,
      logger,
    });
    this.#port = new PeerServer({ routes, clock: systemClock, logger });
    const urls = config.listenPeerUrls.map(({ href }) => href);
    await this.#port.listenAll(urls, this.#options.tls, config.socketReusePort);
    logger.at("cmd/serve/peer-port.ts").info("serving peer traffic", { addresses: urls });
  }

  async stop(graceMs: number): Promise<void> {
    this.#transport?.stop();
    await this.#port?.close(graceMs);
  }

  #raft(): PeerRaft {
    return {
      onMessages: (messages) => {
        for (const message of messages) this.#server?.receive(message);
      },
      onSnapshot: async (message) => {
        const path = this.#sink.pathOf(message.snapshot!.metadata.index);
        try {
          await this.#mustServer().receiveSnapshot({
            message,
            open: () => DatabaseFile.open(nodeDisk, path),
          });
        } finally {
          await nodeDisk.remove(path).catch(() => {});
        }
      },
      onUnreachable: (id) => this.#server?.reportUnreachable(id),
      // The server asks for each snapshot itself, and is told by `sendSnapshot`.
      onSnapshotStatus: () => {},
      isRemoved: (id) => this.#server?.isRemoved(id) ?? false,
      onLocalRemoved: () => this.#server?.wasRemoved(),
    };
  }

  #mustServer(): EtcdServer {
    if (!this.#server) throw errors.stopped();
    return this.#server;
  }
}

function tlsSource(identity: TlsIdentity): TlsSource {
  return {
    options: () => identity.clientOptions(),
    whyNot: (socket) => identity.whyNotServer(socket),
  };
}

function leasesOf(server: EtcdServer): LeaseSource {
  return {
    whenCaughtUp: (callback) => server.linearizable(callback, () => {}),
    renew: async (id) => {
      try {
        return { ttlSeconds: await server.renewLeaseHere(id) };
      } catch (error) {
        return refusalOf(error);
      }
    },
    timeToLive: async (id, withKeys) => {
      try {
        const { remainingSeconds, grantedTtlSeconds, keys } = await server.leaseTimesHere(id, withKeys);
        return { ttlSeconds: remainingSeconds, grantedTtlSeconds, keys };
      } catch (error) {
        return refusalOf(error);
      }
    },
  };
}

function refusalOf(error: unknown): "not found" | "not primary" {
  return EtcdError.from(error).message === errors.leaseNotFound.text ? "not found" : "not primary";
}

/** What members ask each other besides Raft: promotions, and whether a downgrade is under way. */
async function answerOther(server: EtcdServer, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/downgrade/enabled") return answerDowngradeEnabled(server, request);
  if (!pathname.startsWith(promotePath)) return new Response("404 page not found\n", { status: 404 });
  if (request.method !== "POST") return new Response("Method Not Allowed\n", { status: 405 });
  const id = pathname.slice(promotePath.length);
  if (!/^\d{1,20}$/.test(id)) return new Response(`member ${id} not found in cluster\n`, { status: 404 });
  try {
    const members = await server.members.promoteHere(BigInt(id) as MemberId);
    const json = members.map((member) => memberToJson(member)).join(",");
    return new Response(`[${json}]\n`, { headers: { "Content-Type": "application/json" } });
  } catch (error) {
    const { message } = EtcdError.from(error);
    return new Response(`${message}\n`, { status: message === errors.memberNotFound.text ? 404 : 412 });
  }
}

async function answerDowngradeEnabled(server: EtcdServer, request: Request): Promise<Response> {
  const headers = { "X-Etcd-Cluster-ID": formatId(server.cluster.id), "Content-Type": "text/plain" };
  if (request.method !== "GET") {
    return new Response("Method Not Allowed\n", { status: 405, headers: { ...headers, Allow: "GET" } });
  }
  try {
    await new Promise<void>((resolve, reject) => server.linearizable(resolve, reject));
  } catch (error) {
    return new Response(`failed linearized read: ${(error as Error).message}\n`, { status: 500, headers });
  }
  return new Response(String(server.cluster.downgrade.enabled), { headers });
}
