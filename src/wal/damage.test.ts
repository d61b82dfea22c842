/** Every way to shorten a log, and many ways to flip its bits: never other data than were written. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RaftIndex } from "../lib/ids.ts";
import { Prng } from "../lib/prng.ts";
import { FaultDisk } from "../lib/testing/fault-disk.ts";
import { openWal } from "./open.ts";
import { checkContents, optionsFor, Recorder, testDir } from "./testing/crash-trial.ts";
import { emptyModel, type ModelState } from "./testing/log-model.ts";
import { WalCorruptError } from "./wal.ts";

interface WrittenLog {
  readonly disk: FaultDisk;
  /** After each flush: the model, and the newest segment with the end of its last frame. */
  readonly flushes: { readonly state: ModelState; readonly path: string; readonly end: number }[];
}

/** A log of one flush a batch, closed cleanly. */
async function writeLog(seed: number, batches: number, segmentBytes: number): Promise<WrittenLog> {
  const random = new Prng(seed);
  const disk = new FaultDisk();
  const ends = new Map<string, number>();
  let last = "";
  disk.hook = ({ kind, path, position, length }) => {
    if (kind !== "persist" || path.endsWith(".tmp")) return undefined;
    last = path;
    // Where the frame ends, before the zeros that follow it: its header says so.
    const header = new DataView(disk.contentOf(path).buffer, position, 32);
    ends.set(path, position + 32 + header.getUint32(12, true));
    assert.ok(ends.get(path)! <= position + length);
    return undefined;
  };
  const { wal } = await openWal(optionsFor(disk, random, segmentBytes), 0 as RaftIndex);
  const recorder = new Recorder(wal);
  const flushes: WrittenLog["flushes"] = [];
  for (let i = 0; i < batches; i++) {
    recorder.save(random);
    await recorder.settle();
    if (last !== "") flushes.push({ state: recorder.states.at(-1)!, path: last, end: ends.get(last)! });
  }
  await wal.close();
  flushes.push({ state: recorder.states.at(-1)!, path: last, end: ends.get(last)! });
  disk.hook = undefined;
  return { disk, flushes };
}

/** Opens a copy of the log in which one file has other content. Gives the state found, or the error. */
async function openChanged(
  log: WrittenLog,
  path: string,
  content: Uint8Array,
  states: readonly ModelState[],
): Promise<ModelState | WalCorruptError> {
  const disk = log.disk.afterKill();
  disk.put(path, content);
  try {
    const { wal, contents } = await openWal(optionsFor(disk, new Prng(1)), 0 as RaftIndex);
    await wal.close();
    return states[checkContents(contents, { states, acked: 0, released: 0 })]!;
  } catch (error) {
    if (error instanceof WalCorruptError) return error;
    throw error;
  }
}

/** The last flush that wrote a frame, and the state before it. */
function lastFlush({ flushes }: WrittenLog) {
  const { path, end, state } = flushes.at(-1)!;
  const before = flushes.findLast((flush) => flush.path !== path || flush.end !== end);
  return { path, end, state, before };
}

describe("a log that was shortened within its last write", () => {
  it("is repaired to what was written before, at every length", async () => {
    for (let seed = 1; seed <= 3; seed++) {
      const log = await writeLog(seed, 12, 1 << 20);
      const { path, end, state, before } = lastFlush(log);
      assert.ok(before !== undefined && before.path === path);
      const content = log.disk.contentOf(path);
      for (let length = before.end; length <= content.length; length++) {
        const found = await openChanged(log, path, content.slice(0, length), [before.state, state]);
        const wanted: ModelState = length >= end ? state : before.state;
        assert.equal(found, wanted, `seed ${seed}, ${length} bytes of ${path}`);
        if (length > end + 64) break;
      }
    }
  });

  it("is repaired as well when zeros follow, up to any byte that the write came to", async () => {
    for (let seed = 1; seed <= 3; seed++) {
      const log = await writeLog(seed, 12, 1 << 20);
      const { path, end, state, before } = lastFlush(log);
      assert.ok(before !== undefined && before.path === path);
      for (let cut = before.end; cut < end - 8; cut++) {
        const content = log.disk.contentOf(path);
        content.fill(0, cut);
        const found = await openChanged(log, path, content, [before.state, state]);
        assert.equal(found, before.state, `seed ${seed}, cut at ${cut} of ${path}`);
      }
    }
  });

  it("is never anything but a beginning of what was written, shortened anywhere", async () => {
    const log = await writeLog(7, 25, 1 << 20);
    const states = [emptyModel, ...log.flushes.map((flush) => flush.state)];
    const { path } = lastFlush(log);
    const content = log.disk.contentOf(path);
    let prefixes = 0;
    for (let length = 0; length < content.length; length += 101) {
      const found = await openChanged(log, path, content.slice(0, length), states);
      if (!(found instanceof WalCorruptError)) prefixes++;
    }
    assert.ok(prefixes > 0);
  });
});

describe("a log with sectors of its last write missing", () => {
  it("is repaired, whichever they are", async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = new Prng(seed);
      const log = await writeLog(seed, 10, 1 << 20);
      const { path, end, state, before } = lastFlush(log);
      assert.ok(before !== undefined && before.path === path);
      const content = log.disk.contentOf(path);
      for (let round = 0; round < 40; round++) {
        const torn = content.slice();
        let missing = 0;
        for (let from = before.end; from < end; from = (Math.floor(from / 512) + 1) * 512) {
          if (random.chance(0.5)) continue;
          torn.fill(0, from, Math.min((Math.floor(from / 512) + 1) * 512, end));
          missing++;
        }
        const found = await openChanged(log, path, torn, [before.state, state]);
        assert.equal(found, missing > 0 ? before.state : state, `seed ${seed}, round ${round}`);
      }
    }
  });
});

describe("a log with flipped bits", () => {
  it("is refused, with the file and a place at or before the damage, or still says the same", async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = new Prng(seed);
      const log = await writeLog(seed, 40, 8 * 1024);
      const { state } = log.flushes.at(-1)!;
      const paths = log.disk.paths();
      assert.ok(paths.length > 2);
      let refused = 0;
      for (let round = 0; round < 150; round++) {
        const path = random.pick(paths);
        const content = log.disk.contentOf(path);
        const flips = 1 + random.below(3);
        let first = content.length;
        for (let i = 0; i < flips; i++) {
          const at = random.below(content.length);
          content[at] = content[at]! ^ (1 << random.below(8));
          first = Math.min(first, at);
        }
        const found = await openChanged(log, path, content, [state]);
        if (!(found instanceof WalCorruptError)) continue;
        refused++;
        assert.ok(found.message.includes(found.file) && found.message.includes(String(found.offset)));
        assert.ok(found.file.startsWith(testDir));
      }
      assert.ok(refused > 50, `seed ${seed}: only ${refused} were refused`);
    }
  });

  it("is refused when any single bit of the last frame is flipped", async () => {
    const log = await writeLog(3, 9, 1 << 20);
    const { path, end, state, before } = lastFlush(log);
    assert.ok(before !== undefined && before.path === path);
    const content = log.disk.contentOf(path);
    for (let bit = before.end * 8; bit < end * 8; bit += bit < (before.end + 32) * 8 ? 1 : 11) {
      const flipped = content.slice();
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
      const found = await openChanged(log, path, flipped, [before.state, state]);
      assert.ok(found instanceof WalCorruptError, `bit ${bit} of ${path}`);
      assert.equal(found.file, path);
      assert.equal(found.offset, before.end);
    }
  });

  it("is refused when a sector in its middle was lost, though the rest could be read", async () => {
    const log = await writeLog(5, 30, 1 << 20);
    const { path, before, state } = lastFlush(log);
    const content = log.disk.contentOf(path);
    for (let from = 512; from + 512 < before!.end - 4096; from += 512) {
      const holed = content.slice();
      holed.fill(0, from, from + 512);
      const found = await openChanged(log, path, holed, [state]);
      assert.ok(found instanceof WalCorruptError, `sector at ${from}`);
      assert.match(found.message, /was written after it|cut|damaged|wrong|zeros/);
    }
  });
});
