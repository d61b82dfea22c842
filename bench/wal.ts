/**
 * How quick the log is: `bun bench/wal.ts [folder]` (on the disk to be measured; a temporary folder otherwise). Entries
 * of 300 bytes, each batch saved when the one before is durable; and a start that reads 32 MiB.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MemberId, RaftIndex, Term } from "../src/lib/ids.ts";
import { type Entry, EntryType } from "../src/lib/raft-entry.ts";
import { FrameBuffer } from "../src/wal/frame-buffer.ts";
import { openWal } from "../src/wal/open.ts";
import type { Wal } from "../src/wal/wal.ts";

const data = Uint8Array.from({ length: 300 }, (_, i) => ((i * 7) & 255) | 1);
const metadata = Uint8Array.from([1]);
const measureMs = 2000;

function entryAt(index: number): Entry {
  return { type: EntryType.normal, term: 1 as Term, index: index as RaftIndex, data };
}

function entriesAfter(last: number, count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => entryAt(last + 1 + i));
}

function measureEncoding(): void {
  const entries = entriesAfter(1_000_000, 1000);
  const frame = new FrameBuffer();
  const place = { position: 4096, salt: 1, chain: 2, durable: true };
  let bestUs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 500; round++) {
    const begun = performance.now();
    for (const entry of entries) frame.addEntry(entry);
    frame.sum();
    frame.finish(place, () => 0);
    bestUs = Math.min(bestUs, performance.now() - begun);
    frame.clear();
  }
  console.log(`encode, sum, frame: ${bestUs.toFixed(3)} us an entry`);
}

function save(wal: Wal, entries: Entry[], commit: number): Promise<void> {
  const hardState = { term: 1 as Term, vote: 1n as MemberId, commit: commit as RaftIndex };
  return new Promise((resolve, reject) => {
    wal.save({ entries, hardState, mustSync: true }, (error) => (error ? reject(error) : resolve()));
  });
}

async function measureSaving(dir: string, batch: number): Promise<void> {
  const syncs: number[] = [];
  const onSync = (seconds: number): void => void syncs.push(seconds * 1e6);
  const { wal } = await openWal({ dir, metadata, onSync }, 0 as RaftIndex);
  let last = 0;
  const begun = performance.now();
  while (performance.now() - begun < measureMs) {
    await save(wal, entriesAfter(last, batch), last);
    last += batch;
  }
  const seconds = (performance.now() - begun) / 1000;
  const megabytes = wal.sizeBytes / 1e6;
  await wal.close();
  rmSync(dir, { recursive: true });
  syncs.sort((a, b) => a - b);
  const quantile = (part: number) => syncs[Math.floor(syncs.length * part)]!.toFixed(0);
  console.log(
    `batches of ${batch}: ${Math.round(last / seconds)} entries/s, ${(megabytes / seconds).toFixed(1)} MB/s, ` +
      `${((seconds * 1e6) / last).toFixed(2)} us an entry; sync p50 ${quantile(0.5)} us, p99 ${quantile(0.99)} us`,
  );
}

async function measureOpening(dir: string): Promise<void> {
  const { wal } = await openWal({ dir, metadata }, 0 as RaftIndex);
  let last = 0;
  for (; wal.sizeBytes < 32 * 1024 * 1024; last += 200) await save(wal, entriesAfter(last, 200), last);
  await wal.close();
  for (const from of [0, 0, last]) {
    const begun = performance.now();
    const opened = await openWal({ dir, metadata }, from as RaftIndex);
    const ms = performance.now() - begun;
    await opened.wal.close();
    console.log(
      `open 32 MiB, ${opened.contents.entries.length} of ${last} entries wanted: ${ms.toFixed(1)} ms`,
    );
  }
  rmSync(dir, { recursive: true });
}

const root = mkdtempSync(join(process.argv[2] ?? tmpdir(), "wal-bench-"));
try {
  await measureOpening(join(root, "open"));
  measureEncoding();
  for (const batch of [1, 100, 1000]) await measureSaving(join(root, `batch-${batch}`), batch);
} finally {
  rmSync(root, { recursive: true, force: true });
}
