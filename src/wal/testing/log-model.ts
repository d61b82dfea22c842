/**
 * What a log ought to hold, kept in the plainest way, and random batches as Raft makes them. The tests compare what
 * comes back from the disk with it.
 */
import { crc32c } from "../../lib/crc32c.ts";
import type { MemberId, RaftIndex, Term } from "../../lib/ids.ts";
import type { Prng } from "../../lib/prng.ts";
import {
  type ConfState,
  type Entry,
  EntryType,
  emptyConfState,
  type HardState,
  type SnapshotMark,
} from "../../lib/raft-entry.ts";
import type { WalBatch, WalContents } from "../wal.ts";

/** A log at one moment. `entries` begin after `base`. */
export interface ModelState {
  readonly base: number;
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
  readonly snapshot: SnapshotMark | undefined;
}

export const emptyModel: ModelState = {
  base: 0,
  entries: [],
  hardState: { term: 0 as Term, vote: 0n as MemberId, commit: 0 as RaftIndex },
  snapshot: undefined,
};

export function lastIndexOf(state: ModelState): number {
  return state.base + state.entries.length;
}

function termAt(state: ModelState, index: number): number | undefined {
  if (index === state.base) return state.snapshot?.index === index ? state.snapshot.term : undefined;
  return state.entries[index - state.base - 1]?.term;
}

/** The log after a batch. */
export function withBatch(state: ModelState, batch: WalBatch): ModelState {
  let { base, entries, snapshot, hardState } = state;
  const mark = batch.snapshot;
  if (mark !== undefined) {
    snapshot = mark;
    const known = mark.index > lastIndexOf(state) ? -1 : (termAt(state, mark.index) ?? mark.term);
    if (known !== mark.term) {
      base = mark.index;
      entries = [];
    }
  }
  const first = batch.entries[0];
  if (first !== undefined) entries = [...entries.slice(0, first.index - base - 1), ...batch.entries];
  if (batch.hardState !== undefined) hardState = batch.hardState;
  return { base, entries, snapshot, hardState };
}

/** What opening a log in this state gives, for entries after `from`; as text, to be compared. */
export function describeState(state: ModelState, from: number): string {
  const { snapshot, hardState, entries } = state;
  const base = Math.max(state.base, from);
  return describe(base, entries.slice(base - state.base), hardState, snapshot);
}

/** The same for what came from the disk. The commit index is left out: it may be older. */
export function describeContents(contents: WalContents): string {
  const { entries, lastIndex, snapshot } = contents;
  const hardState = contents.hardState ?? emptyModel.hardState;
  return describe(lastIndex - entries.length, entries, hardState, snapshot);
}

function describe(
  base: number,
  entries: readonly Entry[],
  { term, vote }: HardState,
  snapshot: SnapshotMark | undefined,
): string {
  const mark =
    snapshot === undefined ? "none" : `${snapshot.index}@${snapshot.term} ${conf(snapshot.confState)}`;
  const lines = entries.map((entry) => `${entry.index}@${entry.term} ${entry.type} ${hash(entry.data)}`);
  return [`base ${base} term ${term} vote ${vote} mark ${mark}`, ...lines].join("\n");
}

function conf(state: ConfState): string {
  return `${state.voters} ${state.learners} ${state.votersOutgoing} ${state.learnersNext} ${state.autoLeave}`;
}

/** Enough to tell one piece of test data from another. */
function hash(bytes: Uint8Array): string {
  return `${bytes.length}:${crc32c(bytes).toString(16)}`;
}

/** The next batch that a Raft node in this state might save. */
export function randomBatch(state: ModelState, random: Prng): WalBatch {
  const what = random.below(20);
  if (what === 0) return election(state, random);
  if (what === 1) return commitOnly(state, random);
  if (what === 2) return localSnapshot(state, random);
  if (what === 3) return receivedSnapshot(state, random);
  return append(state, random);
}

function election({ hardState }: ModelState, random: Prng): WalBatch {
  const term = (hardState.term + 1 + random.below(3)) as Term;
  const vote = BigInt(random.below(4)) as MemberId;
  return { entries: [], hardState: { ...hardState, term, vote }, mustSync: true };
}

function commitOnly(state: ModelState, random: Prng): WalBatch {
  return { entries: [], hardState: committed(state, lastIndexOf(state), random), mustSync: false };
}

function localSnapshot(state: ModelState, random: Prng): WalBatch {
  const { base, hardState } = state;
  const index = base + random.below(Math.max(hardState.commit - base, 0) + 1);
  const term = termAt(state, index);
  if (term === undefined || term === 0) return append(state, random);
  const confState = { ...emptyConfState, voters: [1n, 2n ** 63n + 5n] as MemberId[] };
  return {
    entries: [],
    snapshot: { index: index as RaftIndex, term: term as Term, confState },
    mustSync: true,
  };
}

/** From a leader of a newer term, beyond our commit index; with entries behind it, sometimes. */
function receivedSnapshot(state: ModelState, random: Prng): WalBatch {
  const { hardState } = state;
  const term = (hardState.term + 1) as Term;
  const index = (hardState.commit + 1 + random.below(30)) as RaftIndex;
  const confState = { ...emptyConfState, voters: [3n] as MemberId[], learners: [4n, 9n] as MemberId[] };
  const entries = random.chance(0.3) ? randomEntries(index + 1, term, random) : [];
  return {
    entries,
    snapshot: { index, term, confState },
    hardState: { term, vote: 0n as MemberId, commit: index },
    mustSync: true,
  };
}

/** Behind the last entry, or in a newer term in the place of entries that were not committed. */
function append(state: ModelState, random: Prng): WalBatch {
  const { hardState } = state;
  const last = lastIndexOf(state);
  const replaces = last > hardState.commit && random.chance(0.15);
  const grown = replaces || hardState.term === 0 ? 1 : 0;
  const term = (hardState.term + grown) as Term;
  const first = replaces ? hardState.commit + 1 + random.below(last - hardState.commit) : last + 1;
  const entries = randomEntries(first, term, random);
  const now = { ...state, hardState: { ...hardState, term } };
  const end = first + entries.length - 1;
  return { entries, hardState: committed(now, Math.max(end - 1, hardState.commit), random), mustSync: true };
}

function committed({ hardState }: ModelState, most: number, random: Prng): HardState {
  const commit = hardState.commit + random.below(Math.max(most - hardState.commit, 0) + 1);
  return { ...hardState, commit: commit as RaftIndex };
}

function randomEntries(first: number, term: Term, random: Prng): Entry[] {
  const count = 1 + random.below(random.chance(0.2) ? 30 : 4);
  return Array.from({ length: count }, (_, i) => ({
    type: random.chance(0.1) ? EntryType.confChangeV2 : EntryType.normal,
    term,
    index: (first + i) as RaftIndex,
    data: randomData(random),
  }));
}

/** Lengths around those that matter, and now and then the zeros that a disk's fresh sectors are made of. */
function randomData(random: Prng): Uint8Array {
  const length = random.pick([0, 1, 30, 31, 32, 33, 127, 128, 300, 300, 300, 511, 512, 513, 1500, 5000]);
  const data = new Uint8Array(length);
  const kind = random.below(4);
  if (kind === 0) return data;
  if (kind === 1) {
    // Nearly zeros.
    if (length > 0) data[random.below(length)] = 1 << random.below(8);
    return data;
  }
  let word = random.below(2 ** 32);
  for (let i = 0; i < length; i++) {
    word = (Math.imul(word, 1664525) + 1013904223) | 0;
    data[i] = word >>> 24;
  }
  return data;
}
