/**
 * Looks a stopped member's folder over: the log and the store each by themselves, then whether they belong together, then
 * whether what the store keeps beside the keys can be read by those whose it is.
 */
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { AuthState, authBuckets } from "../../auth/auth-state.ts";
import { checkStore, type OnCheckProgress, type StoreReport } from "../../backend/sqlite/check.ts";
import { MetadataSchema } from "../../gen/etcdserverpb/etcdserver_pb.ts";
import { Lessor, leaseBucket } from "../../lease/lessor.ts";
import type { ClusterId, MemberId, RaftIndex } from "../../lib/ids.ts";
import { finish } from "../../lib/steps.ts";
import { Cluster, membershipBuckets } from "../../membership/cluster.ts";
import { confStateFromJson, confStateKey, metaBucket } from "../../membership/conf-state-row.ts";
import { formatId } from "../../membership/member.ts";
import { exists } from "../../runtime/exists.ts";
import { Alarms, alarmBucket } from "../../server/alarms.ts";
import { verifyWal, type WalReport } from "../../wal/verify.ts";

export interface FolderPlaces {
  readonly member: string;
  /** The folder of the store. */
  readonly store: string;
  readonly log: string;
}

export interface FolderReport {
  /** What is wrong, with file and place; empty if all is well. */
  readonly problems: readonly string[];
  /** What a person may want to know, and is nothing to repair. */
  readonly notes: readonly string[];
  /** Undefined if it could not be read to its end. */
  readonly log:
    | {
        readonly dir: string;
        readonly segments: number;
        readonly entries: number;
        readonly firstIndex: number;
        readonly lastIndex: number;
        readonly lastTerm: number;
        readonly commit: number;
      }
    | undefined;
  readonly store:
    | {
        readonly file: string;
        readonly keys: number;
        readonly versions: number;
        readonly revision: number;
        readonly compactRevision: number;
        readonly appliedIndex: number;
      }
    | undefined;
}

export async function inspectFolder(
  { member, store, log }: FolderPlaces,
  onProgress?: OnCheckProgress,
): Promise<FolderReport> {
  const problems: string[] = [];
  const notes: string[] = [];
  const wal = await inspectLog(log, problems, notes);
  const file = join(store, "store.db");
  const found = await checkStore(store, undefined, onProgress);
  problems.push(
    ...found.problems.map((problem) => (problem.includes(file) ? problem : `${file}: ${problem}`)),
  );
  if (wal && found.state) compare(wal, { log, file, found }, problems, notes);
  if (found.problems.length === 0) inspectParts(file, found, wal, problems, notes);
  if (await exists(join(member, "store.2.unfinished"))) {
    notes.push(`${join(member, "store.2")} is part of a leader's snapshot; the next start removes it`);
  }
  return { problems, notes, log: wal && summaryOfLog(log, wal), store: summaryOfStore(file, found) };
}

async function inspectLog(dir: string, problems: string[], notes: string[]): Promise<WalReport | undefined> {
  try {
    const report = await verifyWal(dir);
    const { tornTail, otherFiles } = report;
    if (tornTail) {
      const where = `${join(dir, tornTail.file)} at offset ${tornTail.offset}`;
      notes.push(`${where}: ${tornTail.what}, as a crash leaves it; the next start cuts it off`);
    }
    if (otherFiles.length > 0) notes.push(`${dir}: not part of the log: ${otherFiles.join(", ")}`);
    return report;
  } catch (error) {
    problems.push((error as Error).message);
    return undefined;
  }
}

interface StoreBesideLog {
  readonly log: string;
  readonly file: string;
  readonly found: StoreReport;
}

/** The store holds the beginning of what the log says, and the log goes on where the store ends. */
function compare(
  wal: WalReport,
  { log, file, found }: StoreBesideLog,
  problems: string[],
  notes: string[],
): void {
  const { applied_index: applied, applied_term: term } = found.state!;
  const { lastIndex, hardState } = wal.state;
  if (wal.firstIndex > applied + 1) {
    problems.push(
      `${log}: begins with entry ${wal.firstIndex}, but ${file} ends with entry ${applied}: what is between is lost`,
    );
  }
  if (lastIndex < applied) {
    problems.push(`${log}: ends with entry ${lastIndex}, but ${file} has applied up to entry ${applied}`);
    return;
  }
  const inLog = applied >= wal.firstIndex ? wal.termAt(applied as RaftIndex) : undefined;
  if (inLog !== undefined && inLog !== term) {
    problems.push(`${log}: entry ${applied} is of term ${inLog}, but ${file} has applied it in term ${term}`);
  }
  if (applied > 0 && (hardState?.term ?? 0) < term) {
    problems.push(
      `${log}: its term is ${hardState?.term ?? 0}, but ${file} has applied an entry of term ${term}`,
    );
  }
  if (lastIndex > applied) {
    notes.push(
      `${lastIndex - applied} entries of the log are not in the store yet; the next start applies them`,
    );
  }
}

function inspectParts(
  file: string,
  { meta, state }: StoreReport,
  wal: WalReport | undefined,
  problems: string[],
  notes: string[],
): void {
  const rows = (bucket: string) => meta.get(bucket) ?? new Map<string, Uint8Array>();
  const read = (what: string, load: () => void): void => {
    try {
      load();
    } catch (error) {
      problems.push(`${file}: ${what} cannot be read: ${(error as Error).message}`);
    }
  };
  const ids = wal && fromBinary(MetadataSchema, wal.metadata);
  const localId = (ids?.NodeID ?? 0n) as MemberId;
  const cluster = new Cluster((ids?.ClusterID ?? 0n) as ClusterId, localId, Number.MAX_SAFE_INTEGER);
  const { members, removed, cluster: clusterBucket } = membershipBuckets;
  read("the members", () => cluster.load(rows(members), rows(removed), rows(clusterBucket)));
  read("the leases", () => finish(new Lessor({ minTtlSeconds: 1 }).load(rows(leaseBucket))));
  read("the alarms", () => new Alarms().load(rows(alarmBucket)));
  read("users and roles", () =>
    new AuthState().load(rows(authBuckets.auth), rows(authBuckets.users), rows(authBuckets.roles)),
  );
  read("who votes", () => {
    const row = rows(metaBucket).get(confStateKey);
    if (row === undefined) {
      if ((state?.applied_index ?? 0) > 0) problems.push(`${file}: does not say who votes`);
      return;
    }
    const { voters, votersOutgoing, learners } = confStateFromJson(row);
    for (const id of new Set([...voters, ...votersOutgoing, ...learners])) {
      if (!cluster.member(id)) problems.push(`${file}: ${formatId(id)} takes part in Raft and is no member`);
    }
  });
  const isKnown = cluster.member(localId) !== undefined || cluster.isRemoved(localId);
  if (wal && cluster.members().length > 0 && !isKnown) {
    notes.push(`the store does not list this member, ${formatId(localId)}: it has only begun to join`);
  }
}

function summaryOfLog(dir: string, { segments, state, firstIndex }: WalReport): FolderReport["log"] {
  const entries = segments.reduce((sum, segment) => sum + segment.entries, 0);
  const { lastIndex, lastTerm, hardState } = state;
  return {
    dir,
    segments: segments.length,
    entries,
    firstIndex,
    lastIndex,
    lastTerm,
    commit: hardState?.commit ?? 0,
  };
}

function summaryOfStore(file: string, { state, keys, versions }: StoreReport): FolderReport["store"] {
  if (state === undefined) return undefined;
  const { revision, compact_revision: compactRevision, applied_index: appliedIndex } = state;
  return { file, keys, versions, revision, compactRevision, appliedIndex };
}
