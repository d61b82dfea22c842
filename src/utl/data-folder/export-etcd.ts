/**
 * Makes a data folder for etcd from one of ours: the store becomes the database, and what the log holds beyond it becomes
 * etcd's log. The member stays who it was.
 */
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import type { Backend } from "../../backend/backend.ts";
import { openBackend } from "../../backend/open.ts";
import { planDatabase } from "../../bbolt/plan-database.ts";
import { writeDatabase } from "../../bbolt/write-database.ts";
import { writeEtcdLog } from "../../etcd-wal/write-log.ts";
import type { RaftIndex } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import type { ConfState } from "../../lib/raft-entry.ts";
import { finish } from "../../lib/steps.ts";
import { storedConfState } from "../../membership/conf-state-row.ts";
import { lockDir } from "../../runtime/dir-lock.ts";
import { nodeDisk } from "../../runtime/disk.ts";
import { exists } from "../../runtime/exists.ts";
import { bucketsAt, copyPlainBuckets } from "../../server/snapshot/store-buckets.ts";
import { openWal, walExists } from "../../wal/open.ts";
import type { WalContents } from "../../wal/wal.ts";

export interface ExportOptions {
  /** Our `member` folder, whose server does not run. */
  readonly member: string;
  /** Our log: `member/log`, or what `--wal-dir` named. */
  readonly log: string;
  /** The data folder for etcd, which does not exist. */
  readonly to: string;
}

/** etcd's own modes. */
const folderMode = 0o700;

/** Rejects with an Error that says what is wrong with our folder. Durable when it resolves. */
export async function exportToEtcd({ member, log, to }: ExportOptions, logger: Logger): Promise<void> {
  const storeDir = join(member, "store");
  if (!(await exists(storeDir)))
    throw new Error(`${member} holds no data of this program: ${storeDir} is missing`);
  if (await exists(join(member, "store.2"))) {
    throw new Error(
      `a leader's snapshot is being installed in ${member}: start the server once, so that it is finished`,
    );
  }
  if (!(await walExists(log))) throw new Error(`there is no log in ${log}`);
  const lock = await lockDir(member);
  let backend: Backend | undefined;
  try {
    backend = await openBackend({ kind: "sqlite", dir: storeDir });
    const contents = await readOwnLog(log, backend.position.appliedIndex);
    const snap = join(to, "member", "snap");
    await nodeDisk.makeDir(snap);
    await writeFileOf(backend, join(snap, "db"));
    await nodeDisk.syncDir(snap);
    const { appliedIndex: index, appliedTerm: term } = backend.position;
    const hardState = contents.hardState;
    if (!hardState) throw new Error(`the log in ${log} does not say what is committed`);
    await writeEtcdLog(nodeDisk, join(to, "member", "wal"), {
      metadata: contents.metadata,
      hardState: { ...hardState, commit: Math.max(hardState.commit, index) as RaftIndex },
      snapshot: { index, term, confState: votersOf(backend) },
      entries: contents.entries,
    });
    for (const path of ["", "member", "member/snap", "member/wal"]) await chmod(join(to, path), folderMode);
    const { revision } = backend.position;
    logger.info("exported to etcd", { "data-dir": to, revision, "applied-index": index });
  } finally {
    await backend?.close();
    lock.release();
  }
}

/** What the log holds beyond the store. */
async function readOwnLog(dir: string, from: RaftIndex): Promise<WalContents> {
  const { wal, contents } = await openWal({ dir, metadata: new Uint8Array(0) }, from);
  await wal.close();
  return contents;
}

async function writeFileOf(backend: Backend, path: string): Promise<void> {
  const copies = finish(copyPlainBuckets(backend));
  const buckets = bucketsAt(backend, backend.position.revision, copies);
  const plan = finish(planDatabase(buckets));
  const file = await nodeDisk.open(path, "create");
  try {
    let at = 0;
    for (const chunk of writeDatabase(buckets, plan)) {
      if (chunk === undefined) continue;
      await file.write(chunk, at);
      at += chunk.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

function votersOf(backend: Backend): ConfState {
  const state = storedConfState(backend);
  if (state === undefined)
    throw new Error("the store does not say who votes: nothing was ever applied to it");
  return state;
}
