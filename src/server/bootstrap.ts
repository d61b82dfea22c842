/**
 * Makes a member from what is on its disk, or from the flags if there is nothing yet: opens store and log, checks that they
 * belong together, and hands Raft what it starts from.
 */
import { createHash } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Backend } from "../backend/backend.ts";
import { MetadataSchema } from "../gen/etcdserverpb/etcdserver_pb.ts";
import { Lessor, leaseBucket } from "../lease/lessor.ts";
import type { Clock } from "../lib/clock.ts";
import { type ClusterId, type MemberId, noMember, type RaftIndex, type Term } from "../lib/ids.ts";
import type { Logger } from "../lib/logger.ts";
import { type ConfState, type Entry, EntryType, emptyConfState, type HardState } from "../lib/raft-entry.ts";
import type { Steps } from "../lib/steps.ts";
import { Cluster, ConfChangeType, membershipBuckets } from "../membership/cluster.ts";
import { confStateFromJson, confStateKey, metaBucket } from "../membership/conf-state-row.ts";
import {
  compareIds,
  computeClusterId,
  computeMemberId,
  formatId,
  type Member,
  memberToJson,
  utf8,
} from "../membership/member.ts";
import { MvccStore } from "../mvcc/store.ts";
import { encodeConfChange } from "../raft/confchange/wire.ts";
import type { RaftConfig } from "../raft/config.ts";
import { RawNode } from "../raft/raw-node.ts";
import type { Wal, WalContents } from "../wal/wal.ts";
import { Alarms, alarmBucket } from "./alarms.ts";
import { EtcdServer, type EtcdServerSettings } from "./etcd-server.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import { Slices } from "./slices.ts";

export interface BootstrapOptions {
  readonly settings: EtcdServerSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ServerMetrics;
  readonly backend: Backend;
  /** Whether this member has a log already. */
  readonly hasLog: boolean;
  /** Opens the log, or makes one with `metadata` if there is none. */
  readonly openLog: (metadata: Uint8Array, from: RaftIndex) => Promise<{ wal: Wal; contents: WalContents }>;
  /** `--initial-cluster`, checked: each member's name and peer URLs. Asked for only when there is no log. */
  readonly initialCluster: () => Promise<ReadonlyMap<string, readonly string[]>>;
  readonly initialClusterToken: string;
  readonly maxLearners: number;
  readonly minLeaseTtlSeconds: number;
  readonly cacheBytes: number;
  readonly raft: Pick<RaftConfig, "preVote" | "maxLogBytes" | "keepEntries" | "randomBelow">;
  /** 64 random bits. */
  readonly random64: () => bigint;
  readonly onFatal: (error: Error) => void;
}

/** What is on disk does not fit together, or not to the flags. The message says what and what to do. */
export class BootstrapError extends Error {}

export async function bootstrap(options: BootstrapOptions): Promise<EtcdServer> {
  const { settings, clock, logger, backend, metrics } = options;
  const { appliedIndex } = backend.position;
  if (!options.hasLog && appliedIndex > 0) {
    throw new BootstrapError(
      `the store holds entries up to ${appliedIndex}, but its log is missing: restore the folder from a backup`,
    );
  }
  const members = options.hasLog ? [] : await initialMembers(options);
  const metadata = options.hasLog ? new Uint8Array(0) : firstMetadata(members, settings.name);
  const { wal, contents } = await options.openLog(metadata, appliedIndex);
  const ids = fromBinary(MetadataSchema, contents.metadata);
  const localId = ids.NodeID as MemberId;
  const cluster = new Cluster(ids.ClusterID as ClusterId, localId, options.maxLearners);
  const alarms = new Alarms();
  const lessor = new Lessor({ minTtlSeconds: options.minLeaseTtlSeconds });
  const store = new MvccStore({ backend, leases: lessor, cacheBytes: options.cacheBytes });
  const confState = await load(store, { cluster, alarms, lessor, clock });

  // A crash may have come between making the log and writing its first entries.
  const isFirst = contents.hardState === undefined;
  const start = isFirst
    ? await firstStart(wal, options.hasLog ? await initialMembers(options) : members)
    : restart(contents, backend, confState);
  logger.info(isFirst ? "starting local member" : "restarting local member", {
    "local-member-id": formatId(localId),
    "cluster-id": formatId(cluster.id),
    "commit-index": start.hardState?.commit ?? 0,
    "applied-index": appliedIndex,
    revision: store.revision,
  });
  const node = new RawNode(
    {
      id: localId,
      electionTicks: settings.electionTicks,
      heartbeatTicks: 1,
      logger: logger.named("raft"),
      ...options.raft,
    },
    start,
  );
  const { onFatal, random64 } = options;
  return new EtcdServer({
    settings,
    clock,
    logger,
    metrics,
    node,
    wal,
    backend,
    store,
    lessor,
    alarms,
    cluster,
    random64,
    onFatal,
  });
}

const sha1 = (bytes: Uint8Array): Uint8Array => createHash("sha1").update(bytes).digest();

async function initialMembers({ initialCluster, initialClusterToken }: BootstrapOptions): Promise<Member[]> {
  return [...(await initialCluster())]
    .map(([name, peerUrls]) => ({
      id: computeMemberId(sha1, peerUrls, initialClusterToken),
      name,
      peerUrls,
      isLearner: false,
      clientUrls: [],
    }))
    .sort((a, b) => compareIds(a.id, b.id));
}

/** What stands at the head of a new member's log: who it is, and in which cluster. */
function firstMetadata(members: readonly Member[], name: string): Uint8Array {
  const local = members.find((member) => member.name === name);
  if (!local)
    throw new BootstrapError(`couldn't find local name "${name}" in the initial cluster configuration`);
  const ids = members.map((member) => member.id);
  const metadata = create(MetadataSchema, { NodeID: local.id, ClusterID: computeClusterId(sha1, ids) });
  return toBinary(MetadataSchema, metadata);
}

/** Reads what is kept beside the keys. */
async function load(
  store: MvccStore,
  into: { cluster: Cluster; alarms: Alarms; lessor: Lessor; clock: Clock },
): Promise<ConfState> {
  const slices = new Slices(into.clock);
  const run = <T>(steps: Steps<T>) =>
    new Promise<T>((resolve, reject) => slices.run(steps, resolve, reject, () => false));
  const read = (bucket: string) => run(store.readMeta(bucket));
  const { members, removed, cluster } = membershipBuckets;
  into.cluster.load(await read(members), await read(removed), await read(cluster));
  into.alarms.load(await read(alarmBucket));
  await run(into.lessor.load(await read(leaseBucket)));
  const row = (await read(metaBucket)).get(confStateKey);
  return row ? confStateFromJson(row) : emptyConfState;
}

/** A new cluster's log begins with its members, agreed on by everybody having the same flags. */
async function firstStart(wal: Wal, members: readonly Member[]) {
  const entries = members.map(
    (member, i): Entry => ({
      type: EntryType.confChange,
      term: 1 as Term,
      index: (i + 1) as RaftIndex,
      data: encodeConfChange({
        id: 0n,
        type: ConfChangeType.addNode,
        nodeId: member.id,
        // The name comes when the member publishes itself, as in etcd.
        context: utf8(memberToJson({ ...member, name: "" }, false)),
      }),
    }),
  );
  const hardState: HardState = { term: 1 as Term, vote: noMember, commit: entries.length as RaftIndex };
  await new Promise<void>((resolve, reject) => {
    wal.save({ entries, hardState, mustSync: true }, (error) => (error ? reject(error) : resolve()));
  });
  return { hardState, entries, snapshot: undefined, applied: 0 as RaftIndex, confState: emptyConfState };
}

function restart(contents: WalContents, backend: Backend, confState: ConfState) {
  const { appliedIndex, appliedTerm } = backend.position;
  const { hardState, entries } = contents;
  const first = entries[0]?.index;
  const last = contents.lastIndex;
  if (last < appliedIndex) {
    throw new BootstrapError(
      `the log ends at entry ${last}, but the store holds entries up to ${appliedIndex}: entries are missing from the log`,
    );
  }
  if (first !== undefined && first !== appliedIndex + 1) {
    throw new BootstrapError(`the log begins at entry ${first}, but the store ends at ${appliedIndex}`);
  }
  const snapshot = appliedIndex === 0 ? undefined : { index: appliedIndex, term: appliedTerm, confState };
  return { hardState, entries, snapshot, applied: appliedIndex, confState };
}
