/**
 * Which rows share a page, decided while rows go by and from their lengths alone. Both passes over a database use it:
 * the one that only counts pages and the one that writes them, so that they cannot come to different results.
 *
 * Pages are filled to the brim: nothing is ever inserted between revisions, which are most of what is in the file.
 */
import { elementBytes, pageBytes, pageHeaderBytes } from "./format.ts";

/** How many pages a node of so many bytes takes. A row larger than a page has a node of its own. */
export function pagesFor(bytes: number): number {
  return Math.ceil(bytes / pageBytes);
}

/** The leaf that is being filled. */
export class LeafFill {
  rows = 0;
  bytes = pageHeaderBytes;

  /** Whether one more row fits. The first always does, however large. */
  fits(keyBytes: number, valueBytes: number): boolean {
    return this.rows === 0 || this.bytes + elementBytes + keyBytes + valueBytes <= pageBytes;
  }

  add(keyBytes: number, valueBytes: number): void {
    this.rows++;
    this.bytes += elementBytes + keyBytes + valueBytes;
  }

  clear(): void {
    this.rows = 0;
    this.bytes = pageHeaderBytes;
  }
}

/** A page as the branch above it knows it: by its first key (or that key's length, when pages are only counted). */
export interface Child<Key> {
  readonly key: Key;
  readonly keyBytes: number;
  readonly page: number;
}

/** Makes a branch page of `children`, which take `bytes` bytes as one, and gives its id. */
export type EmitBranch<Key> = (children: readonly Child<Key>[], bytes: number) => number;

/** The branch page being filled on one level, and up to one child more than fits. */
interface Level<Key> {
  children: Child<Key>[];
  /** How many of the children fit into a page, and the bytes they take there. */
  fit: number;
  bytes: number;
}

/**
 * The branches above the leaves, built from below. bbolt takes it for granted that a branch has two children at least
 * (it panics when it deletes from one that has not), so a full page waits for two children that do not fit before it is
 * emitted: whatever comes last then has company.
 */
export class BranchLevels<Key> {
  readonly #emit: EmitBranch<Key>;
  readonly #levels: Level<Key>[] = [];

  constructor(emit: EmitBranch<Key>) {
    this.#emit = emit;
  }

  /** Adds the next leaf. */
  add(child: Child<Key>): void {
    this.#add(0, child);
  }

  /** Emits what is left and gives the id of the tree's root. At least one leaf was added. */
  finish(): number {
    for (let at = 0; ; at++) {
      const { children, fit } = this.#levels[at]!;
      // Whatever was emitted here left two behind: a lone child is the only one of its level.
      if (children.length === 1) return children[0]!.page;
      if (fit === children.length || fit < 3) this.#emitFirst(at, children.length);
      else {
        this.#emitFirst(at, fit - 1);
        this.#emitFirst(at, 2);
      }
    }
  }

  #add(at: number, child: Child<Key>): void {
    this.#levels[at] ??= emptyLevel();
    const level = this.#levels[at];
    const { children } = level;
    const bytes = level.bytes + elementBytes + child.keyBytes;
    // Two belong into a page even if their keys are so long that it needs further ones.
    if (level.fit === children.length && (level.fit < 2 || bytes <= pageBytes)) {
      level.fit++;
      level.bytes = bytes;
    }
    children.push(child);
    if (children.length - level.fit < 2) return;
    this.#emitFirst(at, level.fit);
  }

  /** Emits the first `count` children of a level as one page; the others stay. */
  #emitFirst(at: number, count: number): void {
    const { children } = this.#levels[at]!;
    const first = children.slice(0, count);
    this.#levels[at] = emptyLevel();
    let bytes = pageHeaderBytes;
    for (const { keyBytes } of first) bytes += elementBytes + keyBytes;
    const { key, keyBytes } = first[0]!;
    const page = this.#emit(first, bytes);
    for (const child of children.slice(count)) this.#add(at, child);
    this.#add(at + 1, { key, keyBytes, page });
  }
}

function emptyLevel<Key>(): Level<Key> {
  return { children: [], fit: 0, bytes: pageHeaderBytes };
}
