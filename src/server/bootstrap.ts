/**
 * Makes a member from what is on its disk, or from the flags if there is nothing yet: opens store and log, checks that they
 * belong together, and hands Raft what it starts from.
 */

import { AuthState } from "../auth/auth-state.ts";
import type { Backend } from "../backend/backend.ts";
import { decodeLogMetadata, encodeLogMetadata } from "../codec/log-metadata.ts";
import { Lessor } from "../lease/lessor.ts";
import type { Clock } from "../lib/clock.ts";
import { type ClusterId, type MemberId, noMember, type RaftIndex } from "../lib/ids.ts";
import type { Logger } from "../lib/logger.ts";
import { type ConfState, emptyConfState, type HardState } from "../lib/raft-entry.ts";
import type { Steps } from "../lib/steps.ts";
import { Cluster } from "../membership/cluster.ts";
import { confStateFromJson, confStateKey, metaBucket } from "../membership/conf-state-row.ts";
import { computeClusterId, formatId, type Member } from "../membership/member.ts";
import { MvccStore } from "../mvcc/store.ts";
import type { RaftConfig } from "../raft/config.ts";
import type { RaftStart } from "../raft/log/start.ts";
import { RawNode } from "../raft/raw-node.ts";
import type { Wal, WalBatch, WalContents } from "../wal/wal.ts";
import { Alarms } from "./alarms.ts";
import { type AuthenticationOptions, noTokens } from "./auth/authentication.ts";
import { BootstrapError } from "./bootstrap-error.ts";
import { EtcdServer, type EtcdServerSettings } from "./etcd-server.ts";
import { loadState } from "./load-state.ts";
import { forceNewCluster } from "./members/force-new-cluster.ts";
import { firstTerm, foundingEntries, foundingMembers, sha1 } from "./members/founding-members.ts";
import {
  type ClusterFinder,
  type JoinOptions,
  joinCluster,
  otherUrls,
  wasBootstrapped,
} from "./members/join-cluster.ts";
import type { Peers } from "./peers.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import { Slices } from "./slices.ts";
import type { StoreSlots } from "./snapshot/store-slots.ts";

export { BootstrapError } from "./bootstrap-error.ts";

export interface BootstrapOptions {
  readonly settings: EtcdServerSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ServerMetrics;
  readonly stores: StoreSlots;
  /** Whether this member has a log already. */
  readonly hasLog: boolean;
  /** Opens the log, or makes one with `metadata` if there is none. */
  readonly openLog: (metadata: Uint8Array, from: RaftIndex) => Promise<{ wal: Wal; contents: WalContents }>;
  /** `--initial-cluster-state`. */
  readonly initialClusterState: "new" | "existing";
  /** `--initial-cluster`, checked: each member's name and peer URLs. Asked for only when the log has nothing. */
  readonly initialCluster: () => Promise<ReadonlyMap<string, readonly string[]>>;
  readonly initialClusterToken: string;
  readonly forceNewCluster: boolean;
  /** How long the members of a new cluster are asked whether this one has been in it before. */
  readonly bootstrapTimeoutMs: number;
  readonly finder: ClusterFinder;
  /** Makes the connections with other members, once it is known who this one is. */
  readonly connect: (ids: { readonly localId: MemberId; readonly clusterId: ClusterId }) => Peers;
  readonly maxLearners: number;
  readonly minLeaseTtlSeconds: number;
  /** Default: nobody can log in. */
  readonly authentication?: AuthenticationOptions;
  readonly raft: Pick<RaftConfig, "preVote" | "maxLogBytes" | "keepEntries" | "randomBelow">;
  /** 64 random bits. */
  readonly random64: () => bigint;
  readonly onFatal: (error: Error) => void;
  readonly onRemoved: () => void;
  /** Makes the core; a test may make another one. */
  readonly makeNode?: (config: RaftConfig, start: RaftStart) => RawNode;
}

/** Who a member is, and what it may begin with. */
interface Identity {
  readonly localId: MemberId;
  readonly clusterId: ClusterId;
  /** The members of a new cluster; none for one that joins. */
  readonly founders: readonly Member[];
  /** Members that one that joins was told of. */
  readonly remotes: readonly Member[];
}

/** Bytes that a leader may have appended and not committed; beyond it proposals are refused. */
const maxUncommittedBytes = 256 * 1024 * 1024;

export async function bootstrap(options: BootstrapOptions): Promise<EtcdServer> {
  const { settings, clock, logger, metrics, stores, onFatal, onRemoved, random64 } = options;
  const { appliedIndex } = stores.current.position;
  if (!options.hasLog && appliedIndex > 0) {
    throw new BootstrapError(
      `the store holds entries up to ${appliedIndex}, but its log is missing: restore the folder from a backup`,
    );
  }
  const fresh = options.hasLog ? undefined : await firstIdentity(options);
  const metadata = fresh ? metadataOf(fresh) : new Uint8Array(0);
  const { wal, contents } = await options.openLog(metadata, appliedIndex);
  await settleStores(stores, contents, logger);
  const backend = stores.current;
  const { nodeId: localId, clusterId } = decodeLogMetadata(contents.metadata);
  const cluster = new Cluster(clusterId, localId, options.maxLearners);
  const alarms = new Alarms();
  const auth = new AuthState();
  const lessor = new Lessor({ minTtlSeconds: options.minLeaseTtlSeconds });
  const store = new MvccStore({ backend, leases: lessor, cacheBytes: settings.cacheBytes });
  const confState = await load(store, { cluster, alarms, lessor, auth }, clock);

  // A crash may have come between making the log and writing all of its first batch; what is in it of that counts for
  // nothing then, unless it is the mark of a leader's snapshot, which is whole by itself.
  const isFirst = contents.hardState === undefined && backend.position.appliedIndex === 0;
  const identity = fresh ?? (isFirst ? await secondIdentity(options, localId, cluster.id) : undefined);
  const start = identity
    ? await firstStart(wal, identity.founders)
    : await restart(options, { wal, contents, backend, confState, localId });
  logger.info(isFirst ? "starting local member" : "restarting local member", {
    "local-member-id": formatId(localId),
    "cluster-id": formatId(cluster.id),
    "commit-index": start.hardState?.commit ?? 0,
    "applied-index": backend.position.appliedIndex,
    revision: store.revision,
  });
  const makeNode = options.makeNode ?? ((config, from) => new RawNode(config, from));
  const node = makeNode(
    {
      id: localId,
      electionTicks: settings.electionTicks,
      heartbeatTicks: 1,
      maxUncommittedBytes,
      logger: logger.named("raft"),
      ...options.raft,
    },
    start,
  );
  return new EtcdServer({
    settings,
    clock,
    logger,
    metrics,
    node,
    wal,
    stores,
    store,
    lessor,
    alarms,
    auth,
    authentication: options.authentication ?? noTokens,
    cluster,
    peers: options.connect({ localId, clusterId: cluster.id }),
    remotes: identity?.remotes ?? [],
    sha1,
    random64,
    onFatal,
    onRemoved,
  });
}

/** A member that has nothing yet. */
async function firstIdentity(options: BootstrapOptions): Promise<Identity> {
  const { settings, initialClusterState, initialClusterToken } = options;
  const urlsByName = await options.initialCluster();
  const join: JoinOptions = {
    ...options,
    name: settings.name,
    urlsByName,
    timeoutMs: reqTimeoutMs(settings),
  };
  if (initialClusterState === "existing") {
    const { id, localId, members } = await joinCluster(join);
    return { localId, clusterId: id, founders: [], remotes: members };
  }
  const founders = foundingMembers(urlsByName, initialClusterToken);
  const local = founders.find(({ name }) => name === settings.name);
  if (!local) {
    throw new BootstrapError(
      `couldn't find local name "${settings.name}" in the initial cluster configuration`,
    );
  }
  if (await wasBootstrapped(join, local.id, options.bootstrapTimeoutMs)) {
    throw new BootstrapError(`member ${formatId(local.id)} has already been bootstrapped`);
  }
  const clusterId = computeClusterId(
    sha1,
    founders.map(({ id }) => id),
  );
  return { localId: local.id, clusterId, founders, remotes: [] };
}

/** A member that knows who it is, and whose log is still empty. One that joined has to be sent everything by a leader. */
async function secondIdentity(
  options: BootstrapOptions,
  localId: MemberId,
  clusterId: ClusterId,
): Promise<Identity> {
  const urlsByName = await options.initialCluster();
  const founders = foundingMembers(urlsByName, options.initialClusterToken);
  const ids = founders.map(({ id }) => id);
  if (ids.includes(localId) && computeClusterId(sha1, ids) === clusterId) {
    return { localId, clusterId, founders, remotes: [] };
  }
  return { localId, clusterId, founders: [], remotes: await knownRemotes(options, clusterId, urlsByName) };
}

/** Where the others are, for a member that is one of them already. The leader finds it in any case, and says where it is. */
async function knownRemotes(
  { finder, settings, logger, bootstrapTimeoutMs }: BootstrapOptions,
  clusterId: ClusterId,
  urlsByName: ReadonlyMap<string, readonly string[]>,
): Promise<readonly Member[]> {
  try {
    const found = await finder.cluster(otherUrls(urlsByName, settings.name), bootstrapTimeoutMs);
    if (found.id === clusterId) return found.members;
    logger.warn("the members of --initial-cluster are of another cluster", {
      "cluster-id": formatId(clusterId),
      "other-cluster-id": formatId(found.id),
    });
  } catch (error) {
    logger.warn("found no other member yet", { error: (error as Error).message });
  }
  return [];
}

const reqTimeoutMs = ({ tickMs, electionTicks }: EtcdServerSettings): number =>
  5_000 + 2 * tickMs * electionTicks;

/** What stands at the head of a log: who wrote it, and in which cluster. */
function metadataOf({ localId, clusterId }: Identity): Uint8Array {
  return encodeLogMetadata({ nodeId: localId, clusterId });
}

/**
 * A leader's snapshot is installed from the moment its mark is in the log. When a crash came after that and before the
 * store was exchanged, the next store is the one that the log goes on from.
 */
async function settleStores(stores: StoreSlots, { snapshot }: WalContents, logger: Logger): Promise<void> {
  const marked = snapshot?.index ?? 0;
  if (marked <= stores.current.position.appliedIndex) {
    await stores.dropNext();
    return;
  }
  if ((stores.next?.position.appliedIndex ?? -1) < marked) {
    throw new BootstrapError(
      `the log goes on after a snapshot at entry ${marked}, but the store holds entries only up to ${stores.current.position.appliedIndex}: restore the folder from a backup, or remove it and let the member join again`,
    );
  }
  logger.info("taking over the store of a snapshot that was being installed", { "snapshot-index": marked });
  const old = stores.useNext();
  await old.close();
  await stores.removeOld();
}

/** Reads what is kept beside the keys. */
async function load(
  store: MvccStore,
  into: Parameters<typeof loadState>[1],
  clock: Clock,
): Promise<ConfState> {
  const slices = new Slices(clock);
  const run = <T>(steps: Steps<T>) =>
    new Promise<T>((resolve, reject) => slices.run(steps, resolve, reject, () => false));
  await run(loadState(store, into));
  const row = (await run(store.readMeta(metaBucket))).get(confStateKey);
  return row ? confStateFromJson(row) : emptyConfState;
}

function save(wal: Wal, batch: WalBatch): Promise<void> {
  return new Promise((resolve, reject) => wal.save(batch, (error) => (error ? reject(error) : resolve())));
}

/** A new cluster's log begins with its members, agreed on by everybody having the same flags. */
async function firstStart(wal: Wal, founders: readonly Member[]): Promise<RaftStart> {
  const nothing = { snapshot: undefined, applied: 0 as RaftIndex, confState: emptyConfState };
  if (founders.length === 0) return { ...nothing, hardState: undefined, entries: [] };
  const entries = foundingEntries(founders);
  const hardState: HardState = { term: firstTerm, vote: noMember, commit: entries.length as RaftIndex };
  await save(wal, { entries, hardState, mustSync: true });
  return { ...nothing, hardState, entries };
}

interface Found {
  readonly wal: Wal;
  readonly contents: WalContents;
  readonly backend: Backend;
  readonly confState: ConfState;
  readonly localId: MemberId;
}

async function restart(options: BootstrapOptions, found: Found): Promise<RaftStart> {
  const { wal, contents, backend, confState, localId } = found;
  const { appliedIndex, appliedTerm } = backend.position;
  const last = contents.lastIndex;
  // With a store that was exchanged just now, the log was read from further back.
  const kept = contents.entries.filter(({ index }) => index > appliedIndex);
  const first = kept[0]?.index;
  if (last < appliedIndex) {
    throw new BootstrapError(
      `the log ends at entry ${last}, but the store holds entries up to ${appliedIndex}: entries are missing from the log`,
    );
  }
  if (first !== undefined && first !== appliedIndex + 1) {
    throw new BootstrapError(`the log begins at entry ${first}, but the store ends at ${appliedIndex}`);
  }
  const snapshot = appliedIndex === 0 ? undefined : { index: appliedIndex, term: appliedTerm, confState };
  const start = { snapshot, applied: appliedIndex, confState };
  if (!options.forceNewCluster) return { ...start, hardState: contents.hardState, entries: kept };
  const { hardState } = contents;
  const forced = forceNewCluster({ ...start, localId, hardState, entries: kept });
  options.logger.info("forcing restart member", {
    "local-member-id": formatId(localId),
    "wal-commit-index": hardState?.commit ?? 0,
    "commit-index": forced.hardState.commit,
    "number-of-discarded-entries": forced.droppedCount,
  });
  await save(wal, { entries: forced.added, hardState: forced.hardState, mustSync: true });
  return { ...start, hardState: forced.hardState, entries: forced.entries };
}
