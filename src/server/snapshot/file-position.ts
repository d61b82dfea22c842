/** How far a database file reaches: some rows of its bucket "meta". */
import type { BucketRoot, DatabaseFile } from "../../bbolt/database-file.ts";
import { readLeaves } from "../../bbolt/read-rows.ts";
import { toBinaryKey } from "../../lib/binary-key.ts";
import type { RaftIndex, Term } from "../../lib/ids.ts";
import { storageVersion } from "../versions.ts";
import { positionKeys } from "./etcd-buckets.ts";
import { decodeNumber, decodeRevisionKey } from "./revision-key.ts";

export interface FilePosition {
  /** The last entry whose effects are all in; 0 if it does not say. */
  readonly index: RaftIndex;
  readonly term: Term;
  /** 0: there was no compaction. */
  readonly scheduledCompaction: number;
  readonly finishedCompaction: number;
  /** Undefined in files of etcd 3.5 and older. */
  readonly storageVersion: string | undefined;
}

const names: ReadonlySet<string> = new Set(Object.values(positionKeys));

/** Whether a row of "meta" is part of the position, and so no row of our store. */
export function readsAsPosition(key: Uint8Array): boolean {
  return names.has(toBinaryKey(key));
}

/** Rejects with a BboltCorruptError, or an Error if the file is of an etcd that is newer than this program. */
export async function readPosition(file: DatabaseFile, root: BucketRoot | undefined): Promise<FilePosition> {
  const found = new Map<string, { page: number; value: Uint8Array }>();
  if (root !== undefined) {
    for await (const { page, rows } of readLeaves(file, root)) {
      for (const { key, value } of rows) {
        const name = toBinaryKey(key);
        if (names.has(name)) found.set(name, { page, value });
      }
    }
  }
  const read = (name: string, decode: (value: Uint8Array) => number | undefined): number => {
    const row = found.get(name);
    if (row === undefined) return 0;
    return decode(row.value) ?? file.fail(row.page, `the value of ${name} cannot be read`);
  };
  const decodeRevision = (value: Uint8Array) => decodeRevisionKey(value)?.main;
  const version = found.get(positionKeys.storageVersion);
  return {
    index: read(positionKeys.index, decodeNumber) as RaftIndex,
    term: read(positionKeys.term, decodeNumber) as Term,
    scheduledCompaction: read(positionKeys.scheduledCompaction, decodeRevision),
    finishedCompaction: read(positionKeys.finishedCompaction, decodeRevision),
    storageVersion: version && toBinaryKey(version.value),
  };
}

/** Throws if the file was written by an etcd whose data this program may not understand. */
export function refuseNewerVersion(path: string, version: string | undefined): void {
  const found = minorOf(version ?? "");
  const own = minorOf(storageVersion);
  if (found === undefined || own === undefined || found <= own) return;
  throw new Error(
    `${path} has storage version ${version}, which is newer than this program's ${storageVersion}`,
  );
}

/** "3.7.0" as a number that compares: 3007. */
function minorOf(version: string): number | undefined {
  const parts = /^(\d+)\.(\d+)\./.exec(version);
  return parts ? Number(parts[1]) * 1000 + Number(parts[2]) : undefined;
}
