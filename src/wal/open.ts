/** Opens the log of a folder, or begins one there. */
import type { Disk } from "../lib/disk.ts";
import type { RaftIndex } from "../lib/ids.ts";
import { flushesDriveCache, nodeDisk } from "../runtime/disk.ts";
import { randomU32 } from "../runtime/random.ts";
import { systemClock } from "../runtime/system-clock.ts";
import { createSegment, type OpenSegment } from "./create-segment.ts";
import { GroupCommit } from "./group-commit.ts";
import { emptyLogState } from "./log-state.ts";
import { type LogRead, readLog, sameBytes } from "./read-log.ts";
import { repairTail } from "./repair.ts";
import { listSegments, type SegmentList, segmentsFrom } from "./segment-list.ts";
import type { SegmentName } from "./segment-name.ts";
import { type SegmentFile, SegmentWriter, type SegmentWriterOptions } from "./segment-writer.ts";
import { TermRuns } from "./term-runs.ts";
import {
  explained,
  type Wal,
  type WalContents,
  WalCorruptError,
  WalMetadataError,
  type WalOptions,
} from "./wal.ts";

const defaultSegmentBytes = 16 * 1024 * 1024;
/** A smaller segment would be all head. */
const segmentBytesMin = 4096;

export interface OpenedWal {
  readonly wal: Wal;
  readonly contents: WalContents;
}

/**
 * Opens the log, makes it if there is none, and gives the entries after `from` (what the store has applied). A torn
 * tail is cut off, with a warning. Rejects with a WalCorruptError for anything else that is not as it was written or
 * that is missing, a WalMetadataError for another member's log, and a WalIoError if the disk refuses.
 *
 * The caller holds the lock of the data folder: two open logs in one folder destroy each other.
 */
export async function openWal(options: WalOptions, from: RaftIndex): Promise<OpenedWal> {
  const { dir } = options;
  const settings = settingsOf(options);
  const { disk, sync, onWarning } = settings;
  if (sync && disk === nodeDisk && !flushesDriveCache) {
    onWarning("a sync does not empty the drive's own cache on this runtime: losing power may lose data", {
      dir,
    });
  }
  await explained("make the folder", dir, disk.makeDir(dir));
  const list = await listSegments(disk, dir);
  for (const name of list.temporary) {
    await explained("remove", `${dir}/${name}`, disk.remove(`${dir}/${name}`));
  }
  if (list.segments.length === 0) return createLog(settings, from);
  return openLog(settings, list, from);
}

/** Whether a folder holds a log. */
export async function walExists(dir: string, disk: Disk = nodeDisk): Promise<boolean> {
  try {
    return (await listSegments(disk, dir)).segments.length > 0;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return false;
    throw error;
  }
}

function settingsOf(options: WalOptions): SegmentWriterOptions {
  return {
    disk: options.disk ?? nodeDisk,
    clock: options.clock ?? systemClock,
    dir: options.dir,
    segmentBytes: Math.max(options.segmentBytes ?? defaultSegmentBytes, segmentBytesMin),
    sync: options.sync ?? true,
    metadata: options.metadata,
    random: options.random ?? randomU32,
    onSync: options.onSync ?? (() => {}),
    onWarning: options.onWarning ?? (() => {}),
  };
}

async function createLog(settings: SegmentWriterOptions, from: RaftIndex): Promise<OpenedWal> {
  const state = emptyLogState(from);
  const { metadata, clock } = settings;
  const segment = await createSegment({
    ...settings,
    state,
    sequence: 0,
    salt: settings.random(),
    previousEnd: 0,
    previousChain: 0,
  });
  const wal = new GroupCommit(new SegmentWriter(settings, [], segment), clock, state, new TermRuns());
  return { wal, contents: { ...state, metadata, entries: [], created: true } };
}

async function openLog(
  settings: SegmentWriterOptions,
  list: SegmentList,
  from: RaftIndex,
): Promise<OpenedWal> {
  const { disk, dir, clock } = settings;
  const segments = segmentsFrom(list.segments, from);
  const read = await readLog({ disk, clock, dir, segments, from, keepEntries: true });
  checkBeginning(dir, list, segments, read, from);
  const { state, terms, entries, metadataFound } = read.replay;
  const metadata = metadataFound!;
  const newestName = list.segments.at(-1)!;
  if (settings.metadata.length > 0 && !sameBytes(settings.metadata, metadata)) {
    throw new WalMetadataError(`${dir}/${newestName.name}`, metadata);
  }
  const newest = await openNewest(settings, read);
  const older = await sizesOf(disk, dir, list.segments.slice(0, -1));
  const writer = new SegmentWriter({ ...settings, metadata }, older, newest);
  await removeLeftovers(settings, list);
  const wal = new GroupCommit(writer, clock, state, terms);
  return { wal, contents: { ...state, metadata, entries, created: false } };
}

/** The entries that are wanted have to begin where they were asked for, or behind a snapshot. */
function checkBeginning(
  dir: string,
  list: SegmentList,
  segments: readonly SegmentName[],
  { replay: { base, state } }: LogRead,
  from: RaftIndex,
): void {
  if (base === from || base <= (state.snapshot?.index ?? 0)) return;
  const missing =
    list.detached.length > 0 ? `, the segment after ${list.detached.at(-1)!.name} is missing,` : "";
  const what = `entries ${from + 1} to ${base} are missing${missing}: the log begins`;
  throw new WalCorruptError(`${dir}/${segments[0]!.name}`, 0, what);
}

/**
 * Opens the newest segment for writing. What was read may come from the page cache, left there by a process that was
 * killed before its write was durable; Raft will count on it from now on, so it is made durable first.
 */
async function openNewest(settings: SegmentWriterOptions, read: LogRead): Promise<OpenSegment> {
  const { disk, dir, sync, onWarning } = settings;
  const { name, head } = read.lastStart;
  const path = `${dir}/${name.name}`;
  const file = await explained("open", path, disk.open(path, "write"));
  const { torn, end, chain, headEnd } = read.last;
  let { sizeBytes } = read.last;
  if (torn !== undefined) {
    await repairTail({ disk, dir, segment: name.name, file, torn, onWarning });
    sizeBytes = end;
  }
  if (sync) {
    await explained("sync", path, file.sync());
    await explained("sync the folder of", path, disk.syncDir(dir));
  }
  return { name, file, salt: head.salt, headEnd, position: end, chain, sizeBytes };
}

async function sizesOf(disk: Disk, dir: string, names: readonly SegmentName[]): Promise<SegmentFile[]> {
  const files: SegmentFile[] = [];
  for (const name of names) {
    const path = `${dir}/${name.name}`;
    const file = await explained("open", path, disk.open(path, "read"));
    try {
      files.push({ name, sizeBytes: await explained("read", path, file.size()) });
    } finally {
      await file.close();
    }
  }
  return files;
}

/** What an interrupted removal left, and copies of torn tails whose segments are gone. */
async function removeLeftovers(settings: SegmentWriterOptions, list: SegmentList): Promise<void> {
  const { disk, dir, onWarning } = settings;
  const kept = new Set(list.segments.map((segment) => segment.name));
  const orphans = list.broken.filter((name) => !kept.has(name.slice(0, name.indexOf(".wal") + 4)));
  for (const name of [...list.detached.map((segment) => segment.name), ...orphans]) {
    onWarning("removing a leftover file of the log", { path: `${dir}/${name}` });
    await explained("remove", `${dir}/${name}`, disk.remove(`${dir}/${name}`));
  }
}
