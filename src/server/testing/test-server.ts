/** A whole server without sockets or files, on a clock that the test moves. */

import { create, toBinary } from "@bufbuild/protobuf";
import type { Backend } from "../../backend/backend.ts";
import { MemoryBackend } from "../../backend/memory/memory-backend.ts";
import type { PutRequest, PutResponse } from "../../codec/kv.ts";
import type { LeaseGrantRequest } from "../../codec/lease.ts";
import { encodeLeaseGrantRequest, encodeLeaseId } from "../../codec/lease.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { PutRequestSchema } from "../../gen/etcdserverpb/rpc_pb.ts";
import type { LeaseId, RaftIndex, Term } from "../../lib/ids.ts";
import { Metrics } from "../../lib/metrics.ts";
import { FakeClock, settle } from "../../lib/testing/fake-clock.ts";
import { silentLogger } from "../../lib/testing/silent-logger.ts";
import { MemoryWal } from "../../wal/memory-wal.ts";
import type { Wal } from "../../wal/wal.ts";
import { type BootstrapOptions, bootstrap } from "../bootstrap.ts";
import type { EtcdServer, EtcdServerSettings } from "../etcd-server.ts";
import type { ClusterFinder } from "../members/join-cluster.ts";
import { noPeers } from "../peers.ts";
import { ServerMetrics } from "../server-metrics.ts";
import { MemorySlots } from "../snapshot/store-slots.ts";

export interface TestServer {
  readonly server: EtcdServer;
  readonly clock: FakeClock;
  readonly fatal: Error[];
  /** Lets everything that is ready happen. */
  run(): Promise<void>;
  /** The same, while time passes. */
  pass(ms: number): Promise<void>;
  /** Proposes and waits for the end. */
  propose<T>(field: number, bytes: Uint8Array, request: unknown): Promise<T>;
  put(key: string, value: string, lease?: LeaseId): Promise<PutResponse>;
  grant(id: bigint, ttlSeconds: number): Promise<LeaseGrantRequest>;
  revoke(id: bigint): Promise<void>;
  keepAlive(id: bigint): Promise<number>;
  get(key: string): string | undefined;
}

const nobody = () => Promise.reject(new Error("could not retrieve cluster information from the given URLs"));

/** There are no others to ask. */
const noFinder: ClusterFinder = {
  cluster: nobody,
  versions: nobody,
  sameUrls: async (a, b) => a.join() === b.join(),
};

const bytesOf = (text: string) => new TextEncoder().encode(text);

export const testSettings: EtcdServerSettings = {
  name: "a",
  advertiseClientUrls: ["http://a:2379"],
  tickMs: 100,
  electionTicks: 10,
  snapshotCount: 100,
  keepWalSegments: 5,
  maxRequestBytes: 1_572_864,
  maxTxnOps: 128,
  quotaBackendBytes: 0,
  storeLimits: { generationBytes: 1000, generationDelayMs: 50, overlayBytesMax: 10_000 },
  logBytesMax: 1_000_000,
  cacheBytes: 10_000,
  strictReconfigCheck: true,
  initialElectionTickAdvance: true,
  warningApplyDurationMs: 100,
  watchProgressIntervalMs: 600_000,
};

/** Opens `wal` as the log of a member that has none yet. */
export function newLog(wal: Wal): BootstrapOptions["openLog"] {
  const nothing = { hardState: undefined, snapshot: undefined, entries: [], created: true };
  const contents = { ...nothing, lastIndex: 0 as RaftIndex, lastTerm: 0 as Term };
  return async (metadata) => ({ wal, contents: { ...contents, metadata } });
}

export interface TestServerOptions extends Partial<BootstrapOptions> {
  /** The store to begin with; an empty one in memory if none is given. */
  readonly backend?: Backend;
}

export async function startTestServer({ backend, ...options }: TestServerOptions = {}): Promise<TestServer> {
  const clock = new FakeClock();
  const fatal: Error[] = [];
  let ids = 1n;
  const starting = bootstrap({
    settings: testSettings,
    clock,
    logger: silentLogger,
    metrics: new ServerMetrics(new Metrics()),
    stores: new MemorySlots(() => new MemoryBackend({}), backend),
    hasLog: false,
    openLog: newLog(new MemoryWal(clock)),
    initialClusterState: "new",
    initialCluster: async () => new Map([["a", ["http://a:2380"]]]),
    initialClusterToken: "token",
    forceNewCluster: false,
    bootstrapTimeoutMs: 1000,
    finder: noFinder,
    connect: () => noPeers,
    maxLearners: 1,
    minLeaseTtlSeconds: 2,
    raft: { randomBelow: () => 0 },
    random64: () => ids++,
    onFatal: (error) => fatal.push(error),
    onRemoved: () => fatal.push(new Error("removed")),
    ...options,
  });
  const run = async () => {
    for (let quiet = 0; quiet < 3; ) {
      await settle();
      // The memory backend takes real turns of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      if (clock.pendingTurns === 0) quiet++;
      else {
        quiet = 0;
        clock.turn();
      }
    }
  };
  await run();
  const server = await starting;
  const started = server.start();
  await run();
  await started;

  const propose = async <T>(field: number, bytes: Uint8Array, request: unknown): Promise<T> => {
    const answer = new Promise<T>((resolve, reject) => {
      server.propose<T>({ field, bytes, request }, (error, result) =>
        error ? reject(error) : resolve(result as T),
      );
    });
    let ended = false;
    const end = () => {
      ended = true;
    };
    answer.then(end, end);
    await run();
    for (let turns = 0; !ended && turns < 100; turns++) await run();
    return answer;
  };
  return {
    server,
    clock,
    fatal,
    run,
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += 50) {
        await clock.advance(50);
        await run();
      }
    },
    propose,
    put(key, value, lease = 0n as LeaseId) {
      const request: PutRequest = {
        key: bytesOf(key),
        value: bytesOf(value),
        lease,
        prevKv: true,
        ignoreValue: false,
        ignoreLease: false,
      };
      return propose(raftField.put, toBinary(PutRequestSchema, create(PutRequestSchema, request)), request);
    },
    grant(id, ttlSeconds) {
      const request = { id: id as LeaseId, ttlSeconds };
      return propose(raftField.leaseGrant, encodeLeaseGrantRequest(request), request);
    },
    revoke: (id) => propose(raftField.leaseRevoke, encodeLeaseId(id as LeaseId), id),
    async keepAlive(id) {
      const answer = new Promise<number>((resolve, reject) => {
        server.leases.keepAlive(id as LeaseId, (error, ttlSeconds) =>
          error ? reject(error) : resolve(ttlSeconds),
        );
      });
      await run();
      return answer;
    },
    get(key) {
      const kv = server.store.get(bytesOf(key));
      return kv && new TextDecoder().decode(kv.value);
    },
  };
}
