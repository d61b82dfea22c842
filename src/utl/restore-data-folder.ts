/**
 * Makes the data folder of a member of a new cluster from a snapshot: a store with what the snapshot has, and a log that
 * begins behind it. All of it is made beside the place where a server looks for it, and moved there when it is whole.
 */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { DatabaseFile } from "../bbolt/database-file.ts";
import { MetadataSchema } from "../gen/etcdserverpb/etcdserver_pb.ts";
import { goQuote } from "../lib/go-quote.ts";
import { noMember, type RaftIndex, type Term } from "../lib/ids.ts";
import type { Logger } from "../lib/logger.ts";
import { type ConfState, emptyConfState } from "../lib/raft-entry.ts";
import { membershipBuckets } from "../membership/cluster.ts";
import { confStateRow } from "../membership/conf-state-row.ts";
import {
  compareIds,
  computeClusterId,
  computeMemberId,
  formatId,
  type Member,
  memberToJson,
  utf8,
} from "../membership/member.ts";
import { nodeDisk } from "../runtime/disk.ts";
import type { Imported } from "../server/snapshot/import-database.ts";
import { makeLog } from "./data-folder/make-log.ts";
import { makeStore } from "./data-folder/make-store.ts";
import { goFileError } from "./go-file-error.ts";
import { verifyHash } from "./hash-trailer.ts";

export interface RestoreOptions {
  readonly snapshotPath: string;
  /** Empty or missing. */
  readonly dataDir: string;
  /** Missing. Undefined: inside the data folder. */
  readonly walDir: string | undefined;
  /** Of the member whose folder this will be. */
  readonly name: string;
  /** The new cluster: each member's peer URLs by its name, sorted. */
  readonly initialCluster: ReadonlyMap<string, readonly string[]>;
  readonly initialClusterToken: string;
  readonly skipHashCheck: boolean;
  /** Added to the newest revision, which then counts as compacted. */
  readonly bumpRevision: number;
}

/** Where a folder is made before it is whole. */
const unfinishedName = "member.restoring";
const firstTerm = 1 as Term;

/** Rejects with an Error that says what to tell. */
export async function restoreDataFolder(options: RestoreOptions, logger: Logger): Promise<Imported> {
  const { snapshotPath, dataDir } = options;
  await refuseExisting(options);
  const places = {
    path: snapshotPath,
    "wal-dir": options.walDir ?? join(dataDir, "member", "log"),
    "data-dir": dataDir,
    "store-dir": join(dataDir, "member", "store"),
  };
  logger.info("restoring snapshot", places);
  const file = await openSnapshot(options);
  const unfinished = join(dataDir, unfinishedName);
  try {
    await nodeDisk.makeDir(unfinished);
    const cluster = newCluster(options);
    const imported = await makeStoreOf(join(unfinished, "store"), file, cluster, options);
    announceMembers(cluster, logger);
    await makeLogOf(options.walDir ?? join(unfinished, "log"), cluster);
    await nodeDisk.rename(unfinished, join(dataDir, "member"));
    await nodeDisk.syncDir(dataDir);
    const { revision, compactRevision, versions, ignoredBuckets } = imported;
    if (ignoredBuckets.length > 0) logger.warn("ignored unknown buckets", { buckets: ignoredBuckets });
    const reached = { revision, "compact-revision": compactRevision, versions };
    logger.info("restored snapshot", { ...places, ...reached, "member-id": formatId(cluster.local.id) });
    return imported;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (options.walDir !== undefined) await rm(options.walDir, { recursive: true, force: true });
    throw error;
  } finally {
    await file.close();
  }
}

async function refuseExisting({ dataDir, walDir }: RestoreOptions): Promise<void> {
  const held = await entriesOf(dataDir);
  if (held !== "missing" && held !== 0) {
    throw new Error(`data-dir ${goQuote(dataDir)} not empty or could not be read`);
  }
  if (walDir !== undefined && (await entriesOf(walDir)) !== "missing") {
    throw new Error(`wal-dir ${goQuote(walDir)} exists`);
  }
}

/** How many names are in a folder. */
async function entriesOf(dir: string): Promise<number | "missing" | "unreadable"> {
  try {
    return (await nodeDisk.list(dir)).length;
  } catch (error) {
    return (error as { code?: unknown }).code === "ENOENT" ? "missing" : "unreadable";
  }
}

async function openSnapshot({ snapshotPath, skipHashCheck }: RestoreOptions): Promise<DatabaseFile> {
  try {
    if (!skipHashCheck) await verifyHash(nodeDisk, snapshotPath);
    return await DatabaseFile.open(nodeDisk, snapshotPath);
  } catch (error) {
    throw goFileError("open", snapshotPath, error);
  }
}

interface NewCluster {
  readonly members: readonly Member[];
  readonly local: Member;
  readonly confState: ConfState;
  /** Where its log begins: behind one entry for each member, as if they had just been added. */
  readonly index: RaftIndex;
}

const sha1 = (bytes: Uint8Array): Uint8Array => createHash("sha1").update(bytes).digest();

function newCluster({ initialCluster, initialClusterToken, name }: RestoreOptions): NewCluster {
  const members = [...initialCluster]
    .map(([memberName, peerUrls]): Member => {
      const id = computeMemberId(sha1, peerUrls, initialClusterToken);
      return { id, name: memberName, peerUrls, isLearner: false, clientUrls: [] };
    })
    .sort((a, b) => compareIds(a.id, b.id));
  const local = members.find((member) => member.name === name);
  if (local === undefined) {
    throw new Error(`couldn't find local name ${goQuote(name)} in the initial cluster configuration`);
  }
  const confState = { ...emptyConfState, voters: members.map(({ id }) => id) };
  return { members, local, confState, index: members.length as RaftIndex };
}

/** Which cluster the folder is for: the ids are what other members and old folders must agree with. */
function announceMembers({ members, local }: NewCluster, logger: Logger): void {
  const clusterId = computeClusterId(
    sha1,
    members.map(({ id }) => id),
  );
  for (const { id, peerUrls, isLearner } of members) {
    logger.info("added member", {
      "cluster-id": formatId(clusterId),
      "local-member-id": formatId(local.id),
      "added-peer-id": formatId(id),
      "added-peer-peer-urls": peerUrls,
      "added-peer-is-learner": isLearner,
    });
  }
}

function makeStoreOf(
  dir: string,
  file: DatabaseFile,
  { members, confState, index }: NewCluster,
  { bumpRevision }: RestoreOptions,
): Promise<Imported> {
  const { members: bucket, removed } = membershipBuckets;
  const rows = members.map((member) => {
    return { bucket, key: formatId(member.id), value: utf8(memberToJson(member)) };
  });
  return makeStore(dir, file, {
    index,
    term: firstTerm,
    leaveOut: new Set([bucket, removed]),
    rows: [...rows, confStateRow(confState)],
    bumpRevision,
  });
}

function makeLogOf(dir: string, { members, local, confState, index }: NewCluster): Promise<void> {
  const ids = members.map(({ id }) => id);
  const metadata = create(MetadataSchema, { NodeID: local.id, ClusterID: computeClusterId(sha1, ids) });
  return makeLog(dir, {
    metadata: toBinary(MetadataSchema, metadata),
    snapshot: { index, term: firstTerm, confState },
    entries: [],
    hardState: { term: firstTerm, vote: noMember, commit: index },
  });
}
