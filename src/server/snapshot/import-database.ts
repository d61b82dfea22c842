/**
 * Fills an empty store from etcd's database file, a piece at a time. Until the last piece is in, the store says that it
 * has applied nothing.
 */
import type { Backend, Generation, MetaChange, Version } from "../../backend/backend.ts";
import type { BucketRoot, DatabaseFile } from "../../bbolt/database-file.ts";
import { readBuckets, readLeaves } from "../../bbolt/read-rows.ts";
import { toBinaryKey } from "../../lib/binary-key.ts";
import type { RaftIndex, Revision, Term } from "../../lib/ids.ts";
import { metaBucket } from "../../membership/conf-state-row.ts";
import { keyBucket, plainBuckets } from "./etcd-buckets.ts";
import { type FilePosition, readPosition, readsAsPosition, refuseNewerVersion } from "./file-position.ts";
import { bumpedTo, checkPlainRow, versionOf } from "./file-rows.ts";

/** A piece has about so many bytes or rows: large pieces are quicker, because the store sorts each by key. */
const pieceBytes = 4 * 1024 * 1024;
const pieceRows = 20_000;
/** Pieces that are being written while the next is read. */
const piecesInFlight = 2;

export interface ImportOptions {
  /** The position in the log that the store gets; the file's own unless given. */
  readonly index?: RaftIndex;
  readonly term?: Term;
  /** Buckets whose rows are left out. */
  readonly leaveOut?: ReadonlySet<string>;
  /** Rows that are put in, in place of the file's if it has them. */
  readonly rows?: readonly MetaChange[];
  /** Added to the newest version's revision; all up to there then counts as compacted. Default 0: neither. */
  readonly bumpRevision?: number;
}

export interface Imported {
  readonly index: RaftIndex;
  readonly term: Term;
  readonly revision: Revision;
  readonly compactRevision: Revision;
  /** Versions of keys. */
  readonly versions: number;
  /** Buckets of the file that etcd 3.7 does not have. */
  readonly ignoredBuckets: readonly string[];
}

/** Rejects with a BboltCorruptError for a damaged file, and with the backend's errors. What is in the store then is of no
 * use. The store is readable and up to date at the end; durable it is after `sync`. */
export async function importDatabase(
  file: DatabaseFile,
  backend: Pick<Backend, "write">,
  options: ImportOptions = {},
): Promise<Imported> {
  const buckets = await readBuckets(file);
  const position = await readPosition(file, buckets.get(metaBucket));
  refuseNewerVersion(file.path, position.storageVersion);
  const pieces = new Pieces(backend);
  for (const name of plainBuckets) {
    const root = buckets.get(name);
    if (root !== undefined && !options.leaveOut?.has(name)) await importRows(file, name, root, pieces);
  }
  for (const row of options.rows ?? []) await pieces.addRow(row);
  const keys = buckets.get(keyBucket);
  if (keys !== undefined) await importVersions(file, keys, pieces);
  const { bumpRevision = 0 } = options;
  if (bumpRevision > 0) await pieces.addVersion(bumpedTo((pieces.newest + bumpRevision) as Revision));
  const { versions } = pieces;
  const last = lastPosition(position, pieces.newest as Revision, options);
  await pieces.finish(last);
  const known = new Set([keyBucket, ...plainBuckets]);
  return { ...last, versions, ignoredBuckets: [...buckets.keys()].filter((name) => !known.has(name)) };
}

/** etcd's rule for the revision of a file: that of its newest row, or of a compaction if that is newer. A revision that
 * was bumped counts as compacted. */
function lastPosition(position: FilePosition, newest: Revision, options: ImportOptions) {
  const { scheduledCompaction, finishedCompaction } = position;
  const { bumpRevision = 0, index = position.index, term = position.term } = options;
  const compactRevision = Math.max(scheduledCompaction, finishedCompaction, bumpRevision > 0 ? newest : 0);
  const revision = Math.max(newest, compactRevision, 1);
  return { index, term, revision: revision as Revision, compactRevision: compactRevision as Revision };
}

async function importRows(
  file: DatabaseFile,
  bucket: string,
  root: BucketRoot,
  pieces: Pieces,
): Promise<void> {
  for await (const { page, rows } of readLeaves(file, root)) {
    for (const { key, value, isBucket } of rows) {
      if (isBucket) file.fail(page, `a bucket in bucket ${bucket}`);
      if (bucket === metaBucket && readsAsPosition(key)) continue;
      checkPlainRow(file, page, bucket, { key, value });
      // Not a view of the page: a store in memory would keep all of it.
      await pieces.addRow({ bucket, key: toBinaryKey(key), value: value.slice() });
    }
  }
}

async function importVersions(file: DatabaseFile, root: BucketRoot, pieces: Pieces): Promise<void> {
  for await (const { page, rows } of readLeaves(file, root)) {
    for (const row of rows) {
      const room = pieces.addVersion(versionOf(file, page, row));
      if (room !== undefined) await room;
    }
  }
}

/** Gathers rows into generations and writes them. */
class Pieces {
  readonly #backend: Pick<Backend, "write">;
  #versions: Version[] = [];
  #meta: MetaChange[] = [];
  #bytes = 0;
  #inFlight: Promise<void>[] = [];
  /** The revision of the newest version; 0 when there is none. */
  newest = 0;
  versions = 0;

  constructor(backend: Pick<Backend, "write">) {
    this.#backend = backend;
  }

  async addRow(change: MetaChange): Promise<void> {
    this.#meta.push(change);
    if (this.#meta.length >= pieceRows) await this.#write();
  }

  /** A promise when there is something to wait for. A revision is never cut in two. */
  addVersion(version: Version): Promise<void> | undefined {
    const full = this.#bytes >= pieceBytes || this.#versions.length >= pieceRows;
    const waiting = full && version.modRevision !== this.newest ? this.#write() : undefined;
    this.#versions.push(version);
    this.#bytes += version.key.length + version.value.length;
    this.newest = version.modRevision;
    this.versions++;
    return waiting;
  }

  /** Writes what is left, with the position. */
  async finish(last: {
    readonly index: RaftIndex;
    readonly term: Term;
    readonly revision: Revision;
    readonly compactRevision: Revision;
  }): Promise<void> {
    const { index, term, revision, compactRevision } = last;
    await this.#write({
      importGoesOn: false,
      appliedIndex: index,
      appliedTerm: term,
      revision,
      compactRevision,
    });
    await Promise.all(this.#inFlight);
  }

  async #write(
    position: Omit<Generation, "versions" | "meta" | "isImport"> = {
      importGoesOn: true,
      appliedIndex: 0 as RaftIndex,
      appliedTerm: 0 as Term,
      revision: Math.max(this.newest, 1) as Revision,
      compactRevision: 0 as Revision,
    },
  ): Promise<void> {
    const written = this.#backend.write({
      versions: this.#versions,
      meta: this.#meta,
      ...position,
      isImport: true,
    });
    // Waited for below, or at the end; until then a failure is nobody's.
    written.catch(() => {});
    this.#inFlight.push(written);
    this.#versions = [];
    this.#meta = [];
    this.#bytes = 0;
    if (this.#inFlight.length > piecesInFlight) await this.#inFlight.shift();
  }
}
