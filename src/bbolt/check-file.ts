/**
 * Looks a whole file over: every page belongs to exactly one tree or is free, and every key is where a search would look
 * for it. The same properties that bbolt's own check has, in its words. Takes two bits of memory a page.
 */

import { compareBytes } from "./compare-bytes.ts";
import { BboltCorruptError } from "./corrupt-error.ts";
import type { BucketRoot, DatabaseFile } from "./database-file.ts";
import { PageFlag, pageHeaderBytes } from "./format.ts";
import type { NodePage } from "./node-page.ts";

/** More are counted but not told. */
const problemsMax = 100;
const depthMax = 64;

export interface FileCheck {
  readonly problems: readonly string[];
  /** Of all problems. */
  readonly count: number;
}

/** Rejects only if the disk does. */
export async function checkFile(file: DatabaseFile): Promise<FileCheck> {
  const checker = new Checker(file);
  await checker.run();
  return { problems: checker.problems, count: checker.count };
}

/** Where the keys of a subtree have to lie. */
interface Range {
  readonly from: Uint8Array | undefined;
  readonly to: Uint8Array | undefined;
}

class Checker {
  readonly problems: string[] = [];
  count = 0;
  readonly #file: DatabaseFile;
  readonly #reachable: BitSet;
  readonly #free: BitSet;

  constructor(file: DatabaseFile) {
    this.#file = file;
    const { pageCount } = file.meta;
    this.#reachable = new BitSet(pageCount);
    this.#free = new BitSet(pageCount);
  }

  async run(): Promise<void> {
    const { meta } = this.#file;
    this.#reachable.add(0);
    this.#reachable.add(1);
    if (meta.freelistPage !== undefined) {
      const { freelistPage } = meta;
      await this.#guard(() => this.#readFreelist(freelistPage));
    }
    await this.#tree({ page: meta.rootPage }, 0);
    // Without a list, what is not reachable is free.
    if (meta.freelistPage === undefined) return;
    for (let page = 0; page < meta.pageCount; page++) {
      if (!this.#reachable.has(page) && !this.#free.has(page))
        this.#problem(`page ${page}: unreachable unfreed`);
    }
  }

  #problem(text: string): void {
    this.count++;
    if (this.problems.length < problemsMax) this.problems.push(text);
  }

  /** Damage found on the way is a problem like others; undefined says that there was some. */
  async #guard<T>(work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BboltCorruptError)) throw error;
      this.#problem(error.message);
      return undefined;
    }
  }

  async #readFreelist(id: number): Promise<void> {
    const file = this.#file;
    const { header, bytes } = await file.raw(id);
    if (header.flags !== PageFlag.freelist) file.fail(id, "is not a list of free pages");
    for (let i = 0; i <= header.overflow; i++) this.#reachable.add(id + i);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    // A count too large for the header stands in the first place of the list.
    const long = header.count === 0xffff;
    const count = long ? Number(view.getBigUint64(pageHeaderBytes, true)) : header.count;
    const start = pageHeaderBytes + (long ? 8 : 0);
    if (start + count * 8 > bytes.length) file.fail(id, `lists ${count} free pages, more than fit into it`);
    for (let i = 0; i < count; i++) {
      const free = Number(view.getBigUint64(start + i * 8, true));
      if (free < 2 || free >= file.meta.pageCount) file.fail(id, `lists page ${free}, which does not exist`);
      if (this.#free.has(free)) this.#problem(`page ${free}: already freed`);
      this.#free.add(free);
    }
  }

  async #tree(root: BucketRoot, depth: number): Promise<void> {
    if ("inline" in root) await this.#buckets(root.inline, depth);
    else await this.#page(root.page, { from: undefined, to: undefined }, depth);
  }

  async #page(id: number, range: Range, depth: number): Promise<void> {
    if (depth > depthMax) {
      this.#problem(`page ${id}: lies more than ${depthMax} levels deep`);
      return;
    }
    // Going down again could go round for ever.
    if (this.#isTaken(id)) return;
    const node = await this.#guard(() => this.#file.node(id));
    if (node === undefined) return;
    for (let page = id + 1; page <= id + node.overflow; page++) if (this.#isTaken(page)) return;
    this.#checkRange(node, range);
    if (node.isLeaf) await this.#buckets(node, depth);
    else await this.#children(node, range, depth);
  }

  /** Counts a page as reachable. True, with a problem noted, if it was so before. */
  #isTaken(page: number): boolean {
    const taken = this.#reachable.has(page);
    if (taken) this.#problem(`page ${page}: multiple references`);
    if (this.#free.has(page)) this.#problem(`page ${page}: reachable freed`);
    if (page < this.#file.meta.pageCount) this.#reachable.add(page);
    return taken;
  }

  #checkRange(node: NodePage, { from, to }: Range): void {
    if (node.count === 0) return;
    if (from !== undefined && compareBytes(node.key(0), from) < 0) {
      this.#problem(`page ${node.id}: the first key is before the key that its branch has for it`);
    }
    if (to !== undefined && compareBytes(node.key(node.count - 1), to) >= 0) {
      this.#problem(
        `page ${node.id}: the last key is not before the key that its branch has for the next page`,
      );
    }
  }

  async #children(node: NodePage, range: Range, depth: number): Promise<void> {
    for (let i = 0; i < node.count; i++) {
      const to = i + 1 < node.count ? node.key(i + 1) : range.to;
      await this.#page(node.child(i), { from: node.key(i), to }, depth + 1);
    }
  }

  async #buckets(node: NodePage, depth: number): Promise<void> {
    for (let i = 0; i < node.count; i++) {
      if (!node.isBucket(i)) continue;
      const root = await this.#guard(() => this.#file.bucketRoot(node.id, node.value(i)));
      if (root !== undefined) await this.#tree(root, depth + 1);
    }
  }
}

class BitSet {
  readonly #words: Uint32Array;

  constructor(size: number) {
    this.#words = new Uint32Array(Math.ceil(size / 32));
  }

  has(at: number): boolean {
    return (this.#words[at >>> 5]! & (1 << (at & 31))) !== 0;
  }

  add(at: number): void {
    this.#words[at >>> 5]! |= 1 << (at & 31);
  }
}
