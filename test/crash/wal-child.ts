/** Writes a log as fast as it can and says on standard output what was acknowledged, until it is killed. */
import type { MemberId, RaftIndex, Term } from "../../src/lib/ids.ts";
import { type Entry, EntryType } from "../../src/lib/raft-entry.ts";
import { openWal } from "../../src/wal/open.ts";
import { contentOf, killMetadata, killSegmentBytes } from "./wal-kill.ts";

const [dir, seedText] = process.argv.slice(2);
const seed = Number(seedText);
const { wal, contents } = await openWal(
  { dir: dir!, metadata: killMetadata, segmentBytes: killSegmentBytes },
  0 as RaftIndex,
);
let last = contents.lastIndex as number;
process.stdout.write(`${last}\n`);

function save(): void {
  const count = 1 + ((last * 7 + seed) % 40);
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    last++;
    entries.push({
      type: EntryType.normal,
      term: 1 as Term,
      index: last as RaftIndex,
      data: contentOf(last),
    });
  }
  const end = last;
  const hardState = { term: 1 as Term, vote: 1n as MemberId, commit: (end - count) as RaftIndex };
  wal.save({ entries, hardState, mustSync: true }, (error) => {
    if (error) throw error;
    process.stdout.write(`${end}\n`);
    save();
  });
}
save();
save();
