/** Makes the log of a data folder. */
import type { RaftIndex } from "../../lib/ids.ts";
import type { Entry, HardState, SnapshotMark } from "../../lib/raft-entry.ts";
import { openWal } from "../../wal/open.ts";

export interface NewLog {
  /** etcdserverpb.Metadata: whose it is. */
  readonly metadata: Uint8Array;
  /** Where the store ends. */
  readonly snapshot: SnapshotMark;
  /** What follows. */
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
}

/** `dir` is made. Durable when it resolves. */
export async function makeLog(dir: string, { metadata, ...batch }: NewLog): Promise<void> {
  const { wal } = await openWal({ dir, metadata }, 0 as RaftIndex);
  try {
    await new Promise<void>((resolve, reject) => {
      wal.save({ ...batch, mustSync: true }, (error) => (error ? reject(error) : resolve()));
    });
  } finally {
    await wal.close();
  }
}
