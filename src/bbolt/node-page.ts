/**
 * A leaf or branch page, looked over from end to end before anybody relies on it: every element's key and value lie in
 * the page, no key is empty, and keys ascend.
 */
import { compareBytes } from "./compare-bytes.ts";
import { bucketRowFlag, elementBytes, PageFlag, pageHeaderBytes } from "./format.ts";

export interface PageHeader {
  readonly id: number;
  readonly flags: number;
  readonly count: number;
  readonly overflow: number;
}

export function readPageHeader(bytes: Uint8Array): PageHeader {
  const view = viewOf(bytes);
  return {
    id: Number(view.getBigUint64(0, true)),
    flags: view.getUint16(8, true),
    count: view.getUint16(10, true),
    overflow: view.getUint32(12, true),
  };
}

/** What is wrong with a page, in words; the page itself is named by whoever catches it. */
export class PageError extends Error {}

export class NodePage {
  /** The page's own id; 0 for a bucket that is kept inside its row. */
  readonly id: number;
  readonly isLeaf: boolean;
  readonly count: number;
  /** How many further pages belong to it. */
  readonly overflow: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  /** `bytes` are all of the page, its overflow included. Throws a PageError. */
  constructor(id: number, bytes: Uint8Array) {
    const header = readPageHeader(bytes);
    const { flags, count } = header;
    if (flags !== PageFlag.leaf && flags !== PageFlag.branch) {
      throw new PageError(`is neither a leaf nor a branch (flags ${flags})`);
    }
    this.id = id;
    this.isLeaf = flags === PageFlag.leaf;
    this.count = count;
    this.overflow = header.overflow;
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    if (!this.isLeaf && count === 0) throw new PageError("is a branch without children");
    this.#check();
  }

  /** A view of the page. */
  key(i: number): Uint8Array {
    const { place, keyBytes } = this.#element(i);
    return this.#bytes.subarray(place, place + keyBytes);
  }

  /** Of a leaf: a view of the page. */
  value(i: number): Uint8Array {
    const { place, keyBytes, valueBytes } = this.#element(i);
    return this.#bytes.subarray(place + keyBytes, place + keyBytes + valueBytes);
  }

  /** Of a leaf: whether the value is a bucket. */
  isBucket(i: number): boolean {
    return (this.#view.getUint32(pageHeaderBytes + i * elementBytes, true) & bucketRowFlag) !== 0;
  }

  /** Of a branch: the page of a child. */
  child(i: number): number {
    return Number(this.#view.getBigUint64(pageHeaderBytes + i * elementBytes + 8, true));
  }

  #element(i: number): { place: number; keyBytes: number; valueBytes: number } {
    const at = pageHeaderBytes + i * elementBytes;
    const view = this.#view;
    if (this.isLeaf) {
      return {
        place: at + view.getUint32(at + 4, true),
        keyBytes: view.getUint32(at + 8, true),
        valueBytes: view.getUint32(at + 12, true),
      };
    }
    return { place: at + view.getUint32(at, true), keyBytes: view.getUint32(at + 4, true), valueBytes: 0 };
  }

  #check(): void {
    const { count } = this;
    const dataAt = pageHeaderBytes + count * elementBytes;
    const end = this.#bytes.length;
    if (dataAt > end) throw new PageError(`has ${count} elements, more than fit into ${end} bytes`);
    let before: Uint8Array | undefined;
    for (let i = 0; i < count; i++) {
      const { place, keyBytes, valueBytes } = this.#element(i);
      if (keyBytes === 0) throw new PageError(`element ${i} has an empty key`);
      if (place < dataAt || place + keyBytes + valueBytes > end) {
        throw new PageError(`element ${i} reaches out of the page`);
      }
      const key = this.#bytes.subarray(place, place + keyBytes);
      if (before !== undefined && compareBytes(before, key) >= 0) {
        throw new PageError(`element ${i} is not in order`);
      }
      before = key;
    }
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
