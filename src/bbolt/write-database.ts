/**
 * The second pass: the file itself, from its first byte to its last, without going back. A page is written when it is
 * full, its branch when the branch is full, the root of a bucket when the bucket ends, and the tree of buckets at the
 * very end; only the meta pages look ahead, and what they say is known from the plan.
 */
import { assert, fail } from "../lib/assert.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { compareBytes } from "./compare-bytes.ts";
import type { BucketSource, Row } from "./database-source.ts";
import {
  bucketHeaderBytes,
  bucketRowFlag,
  elementBytes,
  PageFlag,
  pageBytes,
  pageHeaderBytes,
  writeMeta,
  writePageHeader,
} from "./format.ts";
import { type DatabasePlan, firstBucketPage, freelistPage } from "./plan-database.ts";
import { BranchLevels, type Child, LeafFill, pagesFor } from "./tree-shape.ts";

/** The higher of the two counts. It is even, so that bbolt's next transaction goes to page 1, not over this one. */
const newestTxid = 2n;

/**
 * The file in chunks of 64 KiB; `undefined` is a pause. Throws an AssertionError if the rows are not in order or are
 * not those that the plan was made from.
 */
export function* writeDatabase(
  buckets: readonly BucketSource[],
  plan: DatabasePlan,
): Generator<Uint8Array | undefined, void, undefined> {
  const file = new PageWriter();
  writeFirstPages(file, plan);
  const roots: Row[] = [];
  for (const bucket of buckets) {
    const tree = new TreeWriter(file, 0);
    for (const batch of bucket.rows()) {
      for (const row of batch ?? []) tree.add(row);
      const full = file.chunks.takeFull();
      if (full.length === 0) yield undefined;
      else yield* full;
    }
    roots.push({ key: asciiBytes(bucket.name), value: bucketHeader(tree.finish()) });
  }
  const names = new TreeWriter(file, bucketRowFlag);
  for (const root of roots) names.add(root);
  const rootPage = names.finish();
  assert(
    rootPage === plan.rootPage && file.next === plan.pageCount,
    `bbolt: the rows changed between the passes: ${file.next} pages, planned were ${plan.pageCount}`,
  );
  yield* file.chunks.takeRest();
}

function writeFirstPages(file: PageWriter, plan: DatabasePlan): void {
  const { rootPage, pageCount } = plan;
  for (const id of [0, 1]) {
    const { view, at } = file.chunks.target;
    writePageHeader(view, at, { id, flags: PageFlag.meta, count: 0, overflow: 0 });
    const txid = newestTxid - BigInt(id);
    writeMeta(view, at + pageHeaderBytes, { pageBytes, rootPage, freelistPage, pageCount, txid });
    file.chunks.skip(pageBytes);
  }
  const { view, at } = file.chunks.target;
  writePageHeader(view, at, { id: freelistPage, flags: PageFlag.freelist, count: 0, overflow: 0 });
  file.chunks.skip(pageBytes);
}

function bucketHeader(rootPage: number): Uint8Array {
  const bytes = new Uint8Array(bucketHeaderBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(rootPage), true);
  return bytes;
}

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0));
}

/** Lays out nodes one behind the other. */
class PageWriter {
  readonly chunks = new ChunkWriter();
  next = firstBucketPage;

  leaf(rows: readonly Row[], bytes: number, rowFlags: number): number {
    const { chunks } = this;
    const { bytes: target, view, at } = chunks.target;
    const id = this.#header(view, at, PageFlag.leaf, rows.length, bytes);
    let element = at + pageHeaderBytes;
    let place = element + rows.length * elementBytes;
    for (const { key, value } of rows) {
      view.setUint32(element, rowFlags, true);
      // Counted from the element itself.
      view.setUint32(element + 4, place - element, true);
      view.setUint32(element + 8, key.length, true);
      view.setUint32(element + 12, value.length, true);
      if (bytes <= pageBytes) {
        target.set(key, place);
        target.set(value, place + key.length);
      }
      place += key.length + value.length;
      element += elementBytes;
    }
    if (bytes <= pageBytes) chunks.skip(pageBytes);
    else
      this.#overflowing(
        element - at,
        rows.flatMap(({ key, value }) => [key, value]),
      );
    return id;
  }

  branch(children: readonly Child<Uint8Array>[], bytes: number): number {
    const { chunks } = this;
    const { bytes: target, view, at } = chunks.target;
    const id = this.#header(view, at, PageFlag.branch, children.length, bytes);
    let element = at + pageHeaderBytes;
    let place = element + children.length * elementBytes;
    for (const { key, page } of children) {
      view.setUint32(element, place - element, true);
      view.setUint32(element + 4, key.length, true);
      view.setBigUint64(element + 8, BigInt(page), true);
      if (bytes <= pageBytes) target.set(key, place);
      place += key.length;
      element += elementBytes;
    }
    if (bytes <= pageBytes) chunks.skip(pageBytes);
    else
      this.#overflowing(
        element - at,
        children.map(({ key }) => key),
      );
    return id;
  }

  #header(view: DataView, at: number, flags: number, count: number, bytes: number): number {
    const id = this.next;
    const pages = pagesFor(bytes);
    this.next += pages;
    writePageHeader(view, at, { id, flags, count, overflow: pages - 1 });
    return id;
  }

  /** A node of several pages may reach over several chunks. Its elements, at most three, are in the first. */
  #overflowing(headBytes: number, data: readonly Uint8Array[]): void {
    this.chunks.skip(headBytes);
    for (const bytes of data) this.chunks.append(bytes);
    this.chunks.padToPage();
  }
}

/** One bucket's tree. */
class TreeWriter {
  readonly #file: PageWriter;
  readonly #rowFlags: number;
  readonly #leaf = new LeafFill();
  readonly #branches: BranchLevels<Uint8Array>;
  #rows: Row[] = [];
  #lastKey: Uint8Array | undefined;

  constructor(file: PageWriter, rowFlags: number) {
    this.#file = file;
    this.#rowFlags = rowFlags;
    this.#branches = new BranchLevels((children, bytes) => file.branch(children, bytes));
  }

  add(row: Row): void {
    const { key, value } = row;
    if (this.#lastKey !== undefined && compareBytes(this.#lastKey, key) >= 0) {
      fail(`bbolt: the rows are not in order: a key of ${key.length} bytes`);
    }
    this.#lastKey = key;
    if (!this.#leaf.fits(key.length, value.length)) this.#closeLeaf();
    this.#leaf.add(key.length, value.length);
    this.#rows.push(row);
  }

  /** The root page. */
  finish(): number {
    this.#closeLeaf();
    return this.#branches.finish();
  }

  #closeLeaf(): void {
    const { bytes } = this.#leaf;
    const page = this.#file.leaf(this.#rows, bytes, this.#rowFlags);
    const key = this.#rows[0]?.key ?? noBytes;
    this.#branches.add({ key, keyBytes: key.length, page });
    this.#leaf.clear();
    this.#rows = [];
  }
}

const noBytes = new Uint8Array(0);
