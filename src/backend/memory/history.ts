/**
 * All versions in order of (modRevision, sub), in blocks: appending is cheap, a place is found by two binary searches,
 * and removing versions from the middle rewrites only the blocks they were in.
 */
import type { Version } from "../backend.ts";

const blockRows = 512;

function isAfter(version: Version, revision: number, sub: number): boolean {
  return version.modRevision > revision || (version.modRevision === revision && version.sub > sub);
}

/** The first position whose item is wanted, when all that follow are too. */
function firstWhere<T>(items: readonly T[], wanted: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (wanted(items[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class History {
  /** None is empty. */
  #blocks: Version[][] = [];

  append(version: Version): void {
    const last = this.#blocks.at(-1);
    if (last && last.length < blockRows) last.push(version);
    else this.#blocks.push([version]);
  }

  /** Versions strictly after (revision, sub), at most a block of them; empty at the end. */
  after(revision: number, sub: number): readonly Version[] {
    const block = this.#blocks[firstWhere(this.#blocks, (b) => isAfter(b.at(-1)!, revision, sub))];
    if (!block) return [];
    return block.slice(firstWhere(block, (version) => isAfter(version, revision, sub)));
  }

  /** Takes out versions that are in it. */
  remove(versions: ReadonlySet<Version>): void {
    const touched = new Set<number>();
    for (const { modRevision, sub } of versions) {
      touched.add(firstWhere(this.#blocks, (block) => !isAfterLast(block, modRevision, sub)));
    }
    for (const i of touched) this.#blocks[i] = this.#blocks[i]!.filter((version) => !versions.has(version));
    if ([...touched].some((i) => this.#blocks[i]!.length === 0)) {
      this.#blocks = this.#blocks.filter((block) => block.length > 0);
    }
  }
}

/** True when (revision, sub) is after all of the block. */
function isAfterLast(block: readonly Version[], revision: number, sub: number): boolean {
  const last = block.at(-1)!;
  return last.modRevision < revision || (last.modRevision === revision && last.sub < sub);
}
