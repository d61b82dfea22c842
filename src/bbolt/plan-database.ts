/** The first pass over a database to be written: how many pages it will have, and which is the root. */
import { assert } from "../lib/assert.ts";
import type { Steps } from "../lib/steps.ts";
import { type BucketSource, forEachBatch } from "./database-source.ts";
import { bucketHeaderBytes, keyBytesMax, pageBytes, valueBytesMax } from "./format.ts";
import { BranchLevels, LeafFill, pagesFor } from "./tree-shape.ts";

/** The pages before those of the first bucket: two meta pages and the (empty) list of free pages. */
export const firstBucketPage = 3;
export const freelistPage = 2;

export interface DatabasePlan {
  readonly rootPage: number;
  readonly pageCount: number;
  /** Of the file. */
  readonly bytes: number;
}

/** Goes over the lengths of all rows of all buckets, which are in order of their names. */
export function* planDatabase(buckets: readonly BucketSource[]): Steps<DatabasePlan> {
  const pages = new PageCounter();
  for (const bucket of buckets) {
    const tree = new TreeSize(pages);
    yield* forEachBatch(bucket.sizes(), (sizes) => {
      for (const { keyBytes, valueBytes } of sizes) tree.add(keyBytes, valueBytes);
    });
    tree.finish();
  }
  const names = new TreeSize(pages);
  for (const { name } of buckets) names.add(name.length, bucketHeaderBytes);
  const rootPage = names.finish();
  return { rootPage, pageCount: pages.next, bytes: pages.next * pageBytes };
}

class PageCounter {
  next = firstBucketPage;

  take(bytes: number): number {
    const page = this.next;
    this.next += pagesFor(bytes);
    return page;
  }
}

class TreeSize {
  readonly #pages: PageCounter;
  readonly #leaf = new LeafFill();
  readonly #branches: BranchLevels<undefined>;
  /** The length of the first key of the leaf. */
  #firstKeyBytes = 0;

  constructor(pages: PageCounter) {
    this.#pages = pages;
    this.#branches = new BranchLevels((_children, bytes) => pages.take(bytes));
  }

  add(keyBytes: number, valueBytes: number): void {
    checkSizes(keyBytes, valueBytes);
    const leaf = this.#leaf;
    if (!leaf.fits(keyBytes, valueBytes)) this.#closeLeaf();
    if (leaf.rows === 0) this.#firstKeyBytes = keyBytes;
    leaf.add(keyBytes, valueBytes);
  }

  /** The root page. */
  finish(): number {
    this.#closeLeaf();
    return this.#branches.finish();
  }

  #closeLeaf(): void {
    const page = this.#pages.take(this.#leaf.bytes);
    this.#branches.add({ key: undefined, keyBytes: this.#firstKeyBytes, page });
    this.#leaf.clear();
  }
}

function checkSizes(keyBytes: number, valueBytes: number): void {
  assert(keyBytes > 0 && keyBytes <= keyBytesMax, `bbolt: a key of ${keyBytes} bytes`);
  assert(valueBytes <= valueBytesMax, `bbolt: a value of ${valueBytes} bytes`);
}
