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

/** So many keys are read at a time. */
export const keysPerRead = 64;

export interface Level {
  readonly entries: Entry[];
  /** Where the rest begins, undefined if this is all. */
  readonly next: string | undefined;
}

/** At most about `limit` entries of the level under `prefix`, from the key `from` on. */
export async function readLevel(
  read: ReadKeys,
  prefix: string,
  options: { readonly from?: string; readonly end?: string; readonly limit: number },
): Promise<Level> {
  const end = options.end ?? prefixEnd(prefix);
  let from = options.from ?? prefix;
  const entries: Entry[] = [];
  while (entries.length < options.limit) {
    const { keys, more } = await read(from, end, keysPerRead);
    let folder: string | undefined;
    for (const key of keys) {
      if (folder !== undefined && key.startsWith(folder)) continue;
      const slash = key.indexOf("/", prefix.length);
      folder = slash < 0 ? undefined : key.slice(0, slash + 1);
      entries.push(folder === undefined ? { key, isFolder: false } : { key: folder, isFolder: true });
    }
    const last = keys.at(-1);
    if (!more || last === undefined) return { entries, next: undefined };
    from = folder === undefined ? `${last}\0` : prefixEnd(folder);
    if (from === "\0") return { entries, next: undefined };
  }
  return { entries, next: from };
}

/** The name of an entry within its level. */
export const nameOf = (entry: Entry, prefix: string): string => entry.key.slice(prefix.length);
