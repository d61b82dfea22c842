/**
 * One level of the tree that keys make by their `/`. The server reads it: what that takes grows with the entries shown, not
 * with the keys below them.
 */
import { call } from "./api.ts";
import { fromBase64, toBase64 } from "./bytes.ts";

export interface Entry {
  /** The key, or for a folder the prefix of all its keys, `/` included. */
  readonly key: string;
  readonly isFolder: boolean;
  /** Keys below a folder, if they were counted. */
  readonly count: number;
}

export interface LevelRange {
  /** Names begin behind it. */
  readonly prefix: string;
  readonly from: string;
  /** "\0" for no end. */
  readonly end: string;
  readonly limit: number;
}

export interface Level {
  readonly entries: Entry[];
  /** Where the rest begins, undefined if this is all. */
  readonly next: string | undefined;
}

interface ListLevelResponse {
  readonly entries?: readonly {
    readonly key?: string;
    readonly isBranch?: boolean;
    readonly count?: string;
  }[];
  readonly next?: string;
}

/** With `count` the keys below each folder are counted, which takes longer the more there are. */
export async function readLevel({ prefix, from, end, limit }: LevelRange, count = false): Promise<Level> {
  const { entries = [], next } = await call<ListLevelResponse>("etclitepb.Explore/ListLevel", {
    prefixLength: prefix.length,
    // No key is empty: the least one stands for the beginning.
    key: toBase64(from === "" ? "\0" : from),
    rangeEnd: toBase64(end),
    separator: toBase64("/"),
    limit,
    count,
  });
  return {
    entries: entries.map((entry) => ({
      key: fromBase64(entry.key),
      isFolder: entry.isBranch ?? false,
      count: Number(entry.count ?? 0),
    })),
    next: next === undefined ? undefined : fromBase64(next),
  };
}

/** The name of an entry within its level. */
export const nameOf = (entry: Entry, prefix: string): string => entry.key.slice(prefix.length);
