/**
 * One level of the tree that keys make by their `/`. However many keys lie below a folder, one look finds the next
 * sibling: the range after it begins at the end of its prefix.
 */
import { prefixEnd } from "./bytes.ts";

export interface Entry {
  /** The key, or for a folder the prefix of all its keys, `/` included. */
  readonly key: string;
  readonly isFolder: boolean;
}

/** Reads the names of at most `limit` keys from `from` on, before `end`, in order. */
export type ReadKeys = (
  from: string,
  end: string,
  limit: number,
) => Promise<{ keys: string[]; more: boolean }>;

/** So many keys are read at a time: few where a folder turns out to be large, more where folders are small. */
const keysPerReadMin = 64;
const keysPerReadMax = 1024;

export interface Level {
  readonly entries: Entry[];
  /** Where the rest begins, undefined if this is all. */
  readonly next: string | undefined;
}

/** At most `limit` entries of the level under `prefix`, from the key `from` on. */
export async function readLevel(
  read: ReadKeys,
  prefix: string,
  options: { readonly from?: string; readonly end?: string; readonly limit: number },
): Promise<Level> {
  const end = options.end ?? prefixEnd(prefix);
  let from = options.from ?? prefix;
  let keysPerRead = keysPerReadMin;
  const entries: Entry[] = [];
  for (;;) {
    const { keys, more } = await read(from, end, keysPerRead);
    const before = entries.length;
    for (const key of keys) {
      const last = entries.at(-1);
      if (last?.isFolder && key.startsWith(last.key)) continue;
      if (entries.length === options.limit) return { entries, next: key };
      const slash = key.indexOf("/", prefix.length);
      entries.push(slash < 0 ? { key, isFolder: false } : { key: key.slice(0, slash + 1), isFolder: true });
    }
    const last = entries.at(-1);
    if (!more || last === undefined) return { entries, next: undefined };
    from = last.isFolder ? prefixEnd(last.key) : `${last.key}\0`;
    if (from === "\0") return { entries, next: undefined };
    keysPerRead = entries.length - before > 1 ? Math.min(4 * keysPerRead, keysPerReadMax) : keysPerReadMin;
  }
}

/** The name of an entry within its level. */
export const nameOf = (entry: Entry, prefix: string): string => entry.key.slice(prefix.length);
