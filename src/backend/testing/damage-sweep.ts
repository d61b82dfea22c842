/**
 * Changes one byte of a closed store after the other, and sees who notices: the checker, and whoever reads. Damage to a
 * byte that is used has to be reported, and what is read has to be right or refused.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Revision } from "../../lib/ids.ts";
import { Prng } from "../../lib/prng.ts";
import type { Generation } from "../backend.ts";
import { BackendCorruptError, BackendIoError } from "../errors.ts";
import { checkStore } from "../sqlite/check.ts";
import { fileName } from "../sqlite/schema.ts";
import type { SqliteBackend } from "../sqlite/sqlite-backend.ts";
import { compareCounts, compareWith, type Expected, expectedOf } from "./compare.ts";
import { type Change, HistoryMaker } from "./history-maker.ts";
import { openLocally } from "./local-client.ts";
import { NaiveModel } from "./naive-model.ts";
import { ByteUse, emptyTypes, usedBytes } from "./used-bytes.ts";

/** Small pages: then there are inner pages and overflow pages in a file that is not large. */
const pageSize = 1024;

export interface SweptStore {
  readonly bytes: Buffer;
  /** A `ByteUse` for each byte. */
  readonly used: Uint8Array;
  readonly expected: Expected;
}

/** A store with some of everything, after a compaction and a defragmentation, closed. */
export async function storeToSweep(dir: string, seed: number): Promise<SweptStore> {
  const random = new Prng(seed);
  const maker = new HistoryMaker();
  const model = new NaiveModel();
  const store = await openLocally(dir, { pageSize });
  const write = async (generation: Generation) => {
    model.write(generation);
    await store.write(generation);
  };
  for (let i = 0; i < 120; i++) maker.put(`/events/${String(i).padStart(4, "0")}`, `event ${i}`);
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j < 30; j++) maker.transaction(...someChanges(random));
    maker.meta("lease", `lease ${i}`, `granted at ${maker.revision}`);
    await write(maker.generation());
  }
  const compactRevision = maker.revision as Revision;
  for (let i = 0; i < 115; i++) maker.delete(`/events/${String(i).padStart(4, "0")}`);
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 30; j++) maker.transaction(...someChanges(random));
    maker.meta("alarm", `alarm ${i}`, "x".repeat(400 * i));
    maker.meta("lease", `lease ${i}`, undefined);
    await write(maker.generation());
  }
  maker.compactTo(compactRevision);
  await write(maker.generation());
  await store.compact(compactRevision);
  await store.defragment();
  // Some free pages are left.
  await write(maker.put("/things/long", "long ".repeat(3000)).put("/things/long", "short").generation());
  maker.compactTo(maker.revision);
  await write(maker.generation());
  await store.compact(maker.compactRevision as Revision);
  for (let j = 0; j < 20; j++) maker.transaction(...someChanges(random));
  await write(maker.generation());
  model.compact(maker.compactRevision);
  const expected = expectedOf(model);
  compareWith(store, expected);
  compareCounts(store, expected);
  await store.close();
  assert.deepEqual((await checkStore(dir)).problems, []);
  const bytes = readFileSync(join(dir, fileName));
  return { bytes, used: usedBytes(bytes), expected };
}

function someChanges(random: Prng): Change[] {
  const changes = new Map<string, Change>();
  for (let j = 1 + random.below(3); j > 0; j--) {
    const hot = random.chance(0.3);
    const long = random.chance(0.02) ? "k".repeat(700) : "";
    const key = `/things/${hot ? random.below(4) : random.below(150)}${long}`;
    const lease = random.chance(0.2) ? BigInt(1 + random.below(3)) : 0n;
    const value = "value ".repeat(random.below(random.chance(0.03) ? 600 : 12));
    changes.set(key, random.chance(0.2) ? { delete: key } : { put: key, value, lease });
  }
  return [...changes.values()];
}

/**
 * Bytes of the file's header of which any value is as good as another: a number that only has to change when the schema
 * does, and the version of the SQLite that wrote last.
 */
const anyValue = new Set([40, 41, 42, 43, 96, 97, 98, 99]);

export interface Trial {
  readonly offset: number;
  readonly change: number;
  /** Whether the byte is used, and says something else now. */
  readonly used: boolean;
  /** Whether it is one that neither a row's checksum nor SQLite covers when it is read: only the checker finds damage
   * there. DESIGN.md says how likely it is. */
  readonly isStructure: boolean;
  /** By the checker. */
  readonly reported: boolean;
  /** What a reader of everything got: all right, an error that names the file, or what was wrong. */
  readonly read: "right" | "refused" | { readonly wrong: string };
  /** The same of counts, which are only asked for when all else was right. */
  readonly counted: "right" | "refused" | { readonly wrong: string } | undefined;
}

/** Changes the byte at `offset` in a copy of a store, by `change`, which is xor-ed with it. */
export async function tryByte(
  dir: string,
  store: SweptStore,
  offset: number,
  change: number,
): Promise<Trial> {
  const bytes = Buffer.from(store.bytes);
  bytes[offset]! ^= change;
  const put = () => {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir);
    writeFileSync(join(dir, fileName), bytes);
  };
  put();
  const reported = (await checkStore(dir)).problems.length > 0;
  put();
  let read: Trial["read"] = "right";
  let counted: Trial["counted"];
  let backend: SqliteBackend | undefined;
  try {
    backend = await openLocally(dir, { pageSize });
    read = outcomeOf(dir, () => compareWith(backend!, store.expected));
    if (read === "right") counted = outcomeOf(dir, () => compareCounts(backend!, store.expected));
  } catch (error) {
    read = outcomeOf(dir, () => {
      throw error;
    });
  }
  await backend?.close().catch(() => undefined);
  const isStructure = store.used[offset] === ByteUse.structure;
  return { offset, change, used: matters(store, offset, change), isStructure, reported, read, counted };
}

/** Whether a change of a byte makes a difference to anybody. */
function matters(store: SweptStore, offset: number, change: number): boolean {
  if (anyValue.has(offset) || store.used[offset] === ByteUse.none) return false;
  return store.used[offset] !== ByteUse.rowidType || !emptyTypes.has(store.bytes[offset]! ^ change);
}

/** What must not be: in words, or undefined if all is as it should be. */
export function objectionTo(trial: Trial): string | undefined {
  const { offset, change, used, isStructure, reported, read, counted } = trial;
  const wrong = [read, counted].find((outcome) => typeof outcome === "object");
  const name = `byte ${offset}, changed by ${change}`;
  if (wrong !== undefined && !isStructure) return `${name}: ${JSON.stringify(wrong)}`;
  if (read === "refused" && !reported) return `${name}: a reader notices, and the checker does not`;
  if (used && !reported) return `${name}: is used, and the checker does not notice`;
  return undefined;
}

/** What to change a byte by: often one bit, else anything. */
export function someChange(random: Prng): number {
  return random.chance(0.5) ? 1 << random.below(8) : 1 + random.below(255);
}

function outcomeOf(dir: string, look: () => void): Trial["read"] {
  try {
    look();
    return "right";
  } catch (error) {
    const isNamed = (error as Error).message.includes(join(dir, fileName));
    const isExpected = error instanceof BackendCorruptError || error instanceof BackendIoError;
    return isNamed && isExpected ? "refused" : { wrong: String(error) };
  }
}
