/**
 * A bbolt database, read page by page from a file that is not trusted. What is read is bounded by what the file can
 * hold, and memory by the largest page.
 */
import type { Disk, DiskFile } from "../lib/disk.ts";
import { BlockCache } from "./block-cache.ts";
import { BboltCorruptError } from "./corrupt-error.ts";
import { bucketHeaderBytes, type Meta, metaBytes, pageHeaderBytes, readMeta } from "./format.ts";
import { NodePage, PageError, type PageHeader, readPageHeader } from "./node-page.ts";

/** What bbolt itself looks for when it does not know the page size. */
const pageBytesMin = 1024;
const pageBytesMax = 16 * 1024 * 1024;
/** A page with its overflow is read as a whole, so it may not be larger: far above any value that etcd takes. */
const nodeBytesMax = 1024 * 1024 * 1024;

/** Where a bucket's rows are: in pages of the file, or in a page inside the bucket's own row. */
export type BucketRoot = { readonly page: number } | { readonly inline: NodePage };

export class DatabaseFile {
  readonly path: string;
  readonly meta: Meta;
  readonly #file: DiskFile;
  readonly #blocks: BlockCache;

  private constructor(path: string, file: DiskFile, sizeBytes: number, meta: Meta) {
    this.path = path;
    this.meta = meta;
    this.#file = file;
    this.#blocks = new BlockCache(file, sizeBytes);
  }

  /** Rejects with a BboltCorruptError if no meta page is whole or the file is cut off, or with the system's error.
   * Whatever follows the last page (a checksum, room to grow) is not looked at. */
  static async open(disk: Disk, path: string): Promise<DatabaseFile> {
    const file = await disk.open(path, "read");
    try {
      const sizeBytes = await file.size();
      const meta = await findMeta(path, file, sizeBytes);
      checkMeta(path, meta, sizeBytes);
      return new DatabaseFile(path, file, sizeBytes, meta);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Of the database, without what follows its last page. */
  get bytes(): number {
    return this.meta.pageCount * this.meta.pageBytes;
  }

  /** A node of a tree; at once if no read is needed. */
  node(id: number): NodePage | Promise<NodePage> {
    this.#checkId(id);
    const { pageBytes } = this.meta;
    const first = this.#blocks.peek(id * pageBytes, pageBytes);
    if (first === undefined) return this.#readNode(id);
    const header = this.#header(id, first);
    if (header.overflow > 0) return this.#readNode(id);
    return this.#parse(id, first);
  }

  /** A page's header and all its bytes, whatever kind of page it is. */
  async raw(id: number): Promise<{ header: PageHeader; bytes: Uint8Array }> {
    this.#checkId(id);
    const { pageBytes } = this.meta;
    const first = await this.#read(id, pageBytes);
    const header = this.#header(id, first);
    if (header.overflow === 0) return { header, bytes: first };
    const bytes = (header.overflow + 1) * pageBytes;
    if (bytes > nodeBytesMax) this.fail(id, `takes ${bytes} bytes, more than this program reads at once`);
    return { header, bytes: await this.#read(id, bytes) };
  }

  /** Reads a bucket's row. `page` is where the row stands. */
  bucketRoot(page: number, value: Uint8Array): BucketRoot {
    if (value.length < bucketHeaderBytes) this.fail(page, "a bucket's row is too short");
    const root = Number(new DataView(value.buffer, value.byteOffset, value.length).getBigUint64(0, true));
    if (root !== 0) return { page: root };
    if (value.length < bucketHeaderBytes + pageHeaderBytes)
      this.fail(page, "a bucket in its row is too short");
    const inline = this.#parse(page, value.subarray(bucketHeaderBytes));
    if (!inline.isLeaf) this.fail(page, "a bucket in its row is not a leaf");
    return { inline };
  }

  /** Throws the error for a page of this file. */
  fail(page: number, what: string): never {
    throw new BboltCorruptError(this.path, page, what);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #readNode(id: number): Promise<NodePage> {
    const { bytes } = await this.raw(id);
    return this.#parse(id, bytes);
  }

  #parse(id: number, bytes: Uint8Array): NodePage {
    try {
      return new NodePage(id, bytes);
    } catch (error) {
      if (error instanceof PageError) this.fail(id, error.message);
      throw error;
    }
  }

  #header(id: number, bytes: Uint8Array): PageHeader {
    const header = readPageHeader(bytes);
    if (header.id !== id) this.fail(id, `says that it is page ${header.id}`);
    if (id + header.overflow >= this.meta.pageCount) this.fail(id, "reaches beyond the last page");
    return header;
  }

  #checkId(id: number): void {
    if (id < 2 || id >= this.meta.pageCount) this.fail(id, "is not a page of the file, but is referred to");
  }

  async #read(id: number, length: number): Promise<Uint8Array> {
    const position = id * this.meta.pageBytes;
    const known = this.#blocks.peek(position, length);
    if (known !== undefined) return known;
    try {
      return await this.#blocks.read(position, length);
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code !== undefined) throw cause;
      throw new BboltCorruptError(this.path, id, message);
    }
  }
}

/** The newer of the meta pages that are whole. */
async function findMeta(path: string, file: DiskFile, sizeBytes: number): Promise<Meta> {
  const first = await metaAt(file, 0, sizeBytes);
  const sizes = "error" in first ? allPageSizes() : [first.pageBytes];
  for (const size of sizes) {
    const second = await metaAt(file, size, sizeBytes);
    if ("error" in second || second.pageBytes !== size) continue;
    return "error" in first || second.txid > first.txid ? second : first;
  }
  if (!("error" in first)) return first;
  throw new BboltCorruptError(path, undefined, `invalid database: ${first.error}`);
}

function* allPageSizes(): Generator<number, void, undefined> {
  for (let size = pageBytesMin; size <= pageBytesMax; size *= 2) yield size;
}

async function metaAt(
  file: DiskFile,
  position: number,
  sizeBytes: number,
): Promise<Meta | { error: string }> {
  const length = pageHeaderBytes + metaBytes;
  if (position + length > sizeBytes) return { error: "the file is too short" };
  const bytes = new Uint8Array(length);
  if ((await file.read(bytes, position)) < length) return { error: "the file is too short" };
  return readMeta(new DataView(bytes.buffer), pageHeaderBytes);
}

function checkMeta(path: string, meta: Meta, sizeBytes: number): void {
  const { pageBytes, pageCount, rootPage, freelistPage } = meta;
  const fail = (what: string): never => {
    throw new BboltCorruptError(path, undefined, `invalid database: ${what}`);
  };
  if (pageBytes < pageBytesMin || pageBytes > pageBytesMax || !Number.isInteger(Math.log2(pageBytes))) {
    fail(`the page size is ${pageBytes}`);
  }
  if (pageCount * pageBytes > sizeBytes) {
    fail(
      `the file is cut off: it has ${sizeBytes} bytes, its ${pageCount} pages take ${pageCount * pageBytes}`,
    );
  }
  if (rootPage < 2 || rootPage >= pageCount) fail(`the root is page ${rootPage} of ${pageCount}`);
  if (freelistPage !== undefined && (freelistPage < 2 || freelistPage >= pageCount)) {
    fail(`the list of free pages is page ${freelistPage} of ${pageCount}`);
  }
}
