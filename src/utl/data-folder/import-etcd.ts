/**
 * Makes a data folder of ours from one of etcd 3.5 or newer: the database becomes the store, and what the log holds beyond
 * it becomes our log. The member stays who it was, so it goes on in its cluster.
 */
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { DatabaseFile } from "../../bbolt/database-file.ts";
import { type EtcdLog, readEtcdLog } from "../../etcd-wal/read-log.ts";
import { MetadataSchema } from "../../gen/etcdserverpb/etcdserver_pb.ts";
import { type MemberId, noMember, type RaftIndex, type Term } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import type { ConfState, Entry, HardState } from "../../lib/raft-entry.ts";
import { confStateFromJson, confStateKey, metaBucket } from "../../membership/conf-state-row.ts";
import { formatId } from "../../membership/member.ts";
import { nodeDisk } from "../../runtime/disk.ts";
import { exists } from "../../runtime/exists.ts";
import { isFileLocked } from "../../runtime/file-lock.ts";
import { readFileRow } from "../../server/snapshot/file-row.ts";
import type { Imported } from "../../server/snapshot/import-database.ts";
import { makeLog } from "./make-log.ts";
import { makeStore } from "./make-store.ts";

export interface EtcdPlaces {
  /** etcd's `member` folder. */
  readonly member: string;
  /** etcd's `member/wal`, or what `--wal-dir` named. */
  readonly wal: string;
}

export interface OurPlaces {
  readonly store: string;
  readonly log: string;
}

/** Whether etcd itself keeps its data in this `member` folder. */
export async function isEtcdMember(member: string): Promise<boolean> {
  return exists(join(member, "snap", "db"));
}

/** Whether an etcd made this folder and was refused before it was a member: it has no log, and nothing was applied. */
export async function isUnused({ member, wal }: EtcdPlaces): Promise<boolean> {
  const names = (await exists(wal)) ? await nodeDisk.list(wal) : [];
  if (names.some((name) => name.endsWith(".wal"))) return false;
  const path = join(member, "snap", "db");
  if (await isFileLocked(path)) return false;
  const file = await DatabaseFile.open(nodeDisk, path);
  try {
    return (await readFileRow(file, metaBucket, "consistent_index")) === undefined;
  } finally {
    await file.close();
  }
}

/** Rejects with an Error that says what is wrong with etcd's folder, which is only read. Durable when it resolves. */
export async function importEtcd(from: EtcdPlaces, to: OurPlaces, logger: Logger): Promise<void> {
  const newest = join(from.member, "snap", "db");
  if (await isFileLocked(newest)) {
    throw new Error(`${newest} is in use: stop the etcd that runs on it first`);
  }
  logger.info("importing the data of an etcd", { database: newest, "wal-dir": from.wal });
  const { file, path, log } = await openBoth(from, newest);
  try {
    const confState = await confStateOf(file, path);
    const imported = await makeStore(to.store, file, {});
    const entries = entriesAfter(imported, log, from.wal);
    const { NodeID, ClusterID } = fromBinary(MetadataSchema, log.metadata);
    refuseStranger(NodeID as MemberId, confState, log);
    await makeLog(to.log, {
      metadata: log.metadata,
      snapshot: { index: imported.index, term: imported.term, confState },
      entries,
      hardState: hardStateOf(imported, log),
    });
    if (imported.ignoredBuckets.length > 0)
      logger.warn("ignored unknown buckets", { buckets: imported.ignoredBuckets });
    logger.info("imported the data of an etcd", {
      "local-member-id": formatId(NodeID as MemberId),
      "cluster-id": formatId(ClusterID as MemberId),
      revision: imported.revision,
      "compact-revision": imported.compactRevision,
      versions: imported.versions,
      "applied-index": imported.index,
      "entries-after-it": entries.length,
    });
  } finally {
    await file.close();
  }
}

/**
 * The database and the log from where it ends. When a leader's snapshot had come and the power went before it was in its
 * place, the log says so, and the snapshot lies beside the database.
 */
async function openBoth(
  from: EtcdPlaces,
  newest: string,
): Promise<{ file: DatabaseFile; path: string; log: EtcdLog }> {
  const file = await DatabaseFile.open(nodeDisk, newest);
  try {
    const index = await appliedIndexOf(file);
    const log = await readEtcdLog(nodeDisk, from.wal, index);
    const commit = log.hardState?.commit ?? 0;
    const received = log.snapshots.findLast((mark) => mark.index > index && mark.index <= commit);
    if (!received) return { file, path: newest, log };
    const name = `${received.index.toString(16).padStart(16, "0")}.snap.db`;
    const path = join(from.member, "snap", name);
    if (!(await exists(path))) {
      throw new Error(`the log goes on after a snapshot at entry ${received.index}, but ${path} is missing`);
    }
    await file.close();
    return {
      file: await DatabaseFile.open(nodeDisk, path),
      path,
      log: await readEtcdLog(nodeDisk, from.wal, received.index),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function appliedIndexOf(file: DatabaseFile): Promise<RaftIndex> {
  const bytes = await readFileRow(file, metaBucket, "consistent_index");
  if (bytes?.length !== 8)
    throw new Error(`${file.path} does not say how far it is: it is older than etcd 3.5, or new`);
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)) as RaftIndex;
}

async function confStateOf(file: DatabaseFile, path: string): Promise<ConfState> {
  const row = await readFileRow(file, metaBucket, confStateKey);
  if (!row) throw new Error(`${path} does not say who votes: it was written by an etcd older than 3.5`);
  return confStateFromJson(row);
}

function entriesAfter({ index }: Imported, log: EtcdLog, dir: string): readonly Entry[] {
  const first = log.entries[0]?.index;
  if (first !== undefined && first !== index + 1) {
    throw new Error(`the log in ${dir} goes on at entry ${first}, but the database ends at ${index}`);
  }
  return log.entries;
}

/** What is in the database was committed, whether or not the log got to say so. */
function hardStateOf({ index, term }: Imported, { hardState, entries }: EtcdLog): HardState {
  const { vote = noMember, commit = 0 } = hardState ?? {};
  const newest = Math.max(term, hardState?.term ?? 0, entries.at(-1)?.term ?? 0) as Term;
  return {
    term: newest,
    vote: newest === hardState?.term ? vote : noMember,
    commit: Math.max(commit, index) as RaftIndex,
  };
}

/** A database and a log of two members must not become one. Not yet a member is who joins just now. */
function refuseStranger(id: MemberId, { voters, learners, votersOutgoing }: ConfState, log: EtcdLog): void {
  if ([...voters, ...learners, ...votersOutgoing].includes(id) || log.entries.length > 0) return;
  throw new Error(`the log is of member ${formatId(id)}, which the database does not know`);
}
