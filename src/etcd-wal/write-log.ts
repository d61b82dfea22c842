/** Writes a log that etcd takes for its own: one that begins at a snapshot. */
import { encodeEntry, encodeHardState } from "../codec/raft-log.ts";
import type { Disk } from "../lib/disk.ts";
import type { RaftIndex, Term } from "../lib/ids.ts";
import { type Entry, emptyConfState, type HardState, type SnapshotMark } from "../lib/raft-entry.ts";
import { encodeMark } from "./mark.ts";
import { encodeFrame, nextCrc, RecordType } from "./record.ts";
import { segmentName } from "./segment-names.ts";

export interface NewEtcdLog {
  /** etcdserverpb.Metadata. */
  readonly metadata: Uint8Array;
  readonly hardState: HardState;
  /** Not beyond what the hard state says is committed: etcd goes by committed ones only. */
  readonly snapshot: SnapshotMark;
  /** The first follows the snapshot. */
  readonly entries: readonly Entry[];
}

/** Durable when it resolves. `dir` is made. */
export async function writeEtcdLog(disk: Disk, dir: string, log: NewEtcdLog): Promise<void> {
  await disk.makeDir(dir);
  const beginning: SnapshotMark = { index: 0 as RaftIndex, term: 0 as Term, confState: emptyConfState };
  let crc = 0;
  const contents: (readonly [Parameters<typeof encodeFrame>[0], Uint8Array])[] = [
    [RecordType.checksum, new Uint8Array(0)],
    [RecordType.metadata, log.metadata],
    [RecordType.snapshot, encodeMark(beginning)],
    [RecordType.hardState, encodeHardState(log.hardState)],
    [RecordType.snapshot, encodeMark(log.snapshot)],
    ...log.entries.map((entry) => [RecordType.entry, encodeEntry(entry)] as const),
  ];
  const frames = contents.map(([type, data]) => {
    crc = nextCrc(crc, data);
    return encodeFrame(type, crc, data);
  });
  const file = await disk.open(`${dir}/${segmentName(0, 0)}`, "create");
  try {
    let at = 0;
    for (const frame of frames) {
      await file.write(frame, at);
      at += frame.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.syncDir(dir);
}
