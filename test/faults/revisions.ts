/**
 * The history of all keys as watchers are shown it, revision by revision, held against what clients were told: every
 * acknowledged change is at its revision, all watchers see the same, and no revision is missing.
 */
import { createHash } from "node:crypto";
import type { Change } from "./requests.ts";

/** A promise that was broken. */
export class Broken extends Error {}

export interface KeyState {
  readonly value: string;
  readonly modRevision: number;
  readonly version: number;
}

export class Revisions {
  /** What revision r did, as a fingerprint, at r. */
  readonly #prints: number[] = [];
  /** The acknowledged changes of revisions that no watcher has shown yet. */
  readonly #acknowledged = new Map<number, readonly Change[]>();
  /** What revisions did that were shown and not acknowledged: the answer may still come. */
  readonly #shown = new Map<number, readonly Change[]>();
  readonly #now = new Map<string, KeyState>();
  acknowledgements = 0;

  /** The newest revision that a watcher was shown. */
  get newest(): number {
    return this.#prints.length - 1;
  }

  /** The keys as they are at `newest`. */
  get now(): ReadonlyMap<string, KeyState> {
    return this.#now;
  }

  /** A client was told that this happened at that revision. */
  acknowledged(revision: number, changes: readonly Change[]): void {
    this.acknowledgements++;
    if (revision > this.newest) {
      const other = this.#acknowledged.get(revision);
      if (other)
        throw new Broken(`revision ${revision} was acknowledged for ${show(other)} and ${show(changes)}`);
      this.#acknowledged.set(revision, changes);
      return;
    }
    const shown = this.#shown.get(revision);
    if (!shown) throw new Broken(`revision ${revision} was acknowledged twice, now for ${show(changes)}`);
    this.#same(revision, changes, shown);
    this.#shown.delete(revision);
  }

  /** A watcher was shown all that revision did. */
  shown(revision: number, changes: readonly Change[], who: string): void {
    if (this.#prints.length === 0) this.#prints.push(0, 0); // revision 1 is the empty store
    const print = fingerprint(changes);
    if (revision <= this.newest) {
      if (this.#prints[revision] !== print)
        throw new Broken(`${who} was shown another revision ${revision}: ${show(changes)}`);
      return;
    }
    if (revision !== this.newest + 1)
      throw new Broken(`${who} was shown revision ${revision} after ${this.newest}`);
    this.#prints.push(print);
    const told = this.#acknowledged.get(revision);
    if (told) {
      this.#same(revision, told, changes);
      this.#acknowledged.delete(revision);
    } else {
      this.#shown.set(revision, changes);
    }
    this.#apply(revision, changes);
  }

  #apply(revision: number, changes: readonly Change[]): void {
    for (const { key, value } of changes) {
      const version = (this.#now.get(key)?.version ?? 0) + 1;
      if (value === undefined) this.#now.delete(key);
      else this.#now.set(key, { value, modRevision: revision, version });
    }
  }

  #same(revision: number, told: readonly Change[], shown: readonly Change[]): void {
    if (fingerprint(told) === fingerprint(shown)) return;
    throw new Broken(`revision ${revision} was acknowledged as ${show(told)} and is ${show(shown)}`);
  }

  /** Everything acknowledged has been shown. */
  checkNothingLost(): void {
    const [lost] = this.#acknowledged;
    if (!lost) return;
    throw new Broken(
      `${this.#acknowledged.size} acknowledged revisions are lost, first ${lost[0]}: ${show(lost[1])} (the last is ${this.newest})`,
    );
  }
}

function fingerprint(changes: readonly Change[]): number {
  const hash = createHash("md5");
  for (const { key, value } of changes) hash.update(`${key}\0${value === undefined ? "" : `=${value}`}\0`);
  return hash.digest().readUInt32LE(0);
}

export const show = (changes: readonly Change[]): string =>
  changes
    .map(({ key, value }) => `${key}=${value === undefined ? "(deleted)" : value.slice(0, 20)}`)
    .join(", ");
