/**
 * Which bytes of a database file hold anything. Follows SQLite's file format (sqlite.org/fileformat2.html) by itself,
 * from the roots of the tables on, so that what it leaves is what no reader of the format can come to: free pages, the
 * gap between a page's cell pointers and its cells, the rest of an overflow page.
 */
import { assert } from "../../lib/assert.ts";

export const ByteUse = {
  none: 0,
  used: 1,
  /** Says that a column is NULL, which is the one that the row's number stands for: no reader looks at it, as long as it
   * is of a type without any bytes. */
  rowidType: 2,
  /** How many rows a page has, and which page is below an inner one. */
  structure: 3,
} as const;

/** A `ByteUse` for each byte. The file must be whole, without a -wal file, and with auto_vacuum. */
export function usedBytes(file: Buffer): Uint8Array {
  return new FileWalk(file).walk();
}

/** The types of columns that take no bytes: NULL, 0, 1, and two that are not in use. */
export const emptyTypes: ReadonlySet<number> = new Set([0, 8, 9, 10, 11]);

const headerBytes = 100;
const kinds = { innerIndex: 2, innerTable: 5, leafIndex: 10, leafTable: 13 } as const;

class FileWalk {
  readonly #file: Buffer;
  readonly #used: Uint8Array;
  readonly #pageSize: number;
  readonly #usable: number;
  readonly #roots: number[] = [];

  constructor(file: Buffer) {
    this.#file = file;
    this.#used = new Uint8Array(file.length);
    const size = file.readUInt16BE(16);
    this.#pageSize = size === 1 ? 65536 : size;
    this.#usable = this.#pageSize - file[20]!;
    assert(file.length % this.#pageSize === 0, "a database of whole pages");
  }

  walk(): Uint8Array {
    this.#mark(0, headerBytes);
    this.#pointerMap();
    this.#freePages(this.#file.readUInt32BE(32));
    this.#tree(1, (payload) => this.#noteRoot(payload));
    for (const root of this.#roots) this.#tree(root);
    return this.#used;
  }

  #mark(from: number, length: number): void {
    this.#used.fill(ByteUse.used, from, from + length);
  }

  #offsetOf(page: number): number {
    return (page - 1) * this.#pageSize;
  }

  /** Pages of five bytes for each of the pages behind them, from page 2 on. */
  #pointerMap(): void {
    const pages = this.#file.length / this.#pageSize;
    const entries = Math.floor(this.#usable / 5);
    for (let page = 2; page <= pages; page += entries + 1) {
      this.#mark(this.#offsetOf(page), 5 * Math.min(entries, pages - page));
    }
  }

  /** Trunks list the free pages; what is in those is nothing. */
  #freePages(first: number): void {
    for (let trunk = first; trunk !== 0; ) {
      const at = this.#offsetOf(trunk);
      this.#mark(at, 8 + 4 * this.#file.readUInt32BE(at + 4));
      trunk = this.#file.readUInt32BE(at);
    }
  }

  #tree(page: number, onPayload?: (payload: Buffer) => void): void {
    const file = this.#file;
    const start = this.#offsetOf(page);
    const header = start + (page === 1 ? headerBytes : 0);
    const kind = file[header]!;
    const isInner = kind === kinds.innerIndex || kind === kinds.innerTable;
    const headerSize = isInner ? 12 : 8;
    const cells = file.readUInt16BE(header + 3);
    this.#mark(header, headerSize + 2 * cells);
    this.#used.fill(ByteUse.structure, header + 3, header + 5);
    if (isInner) this.#used.fill(ByteUse.structure, header + 8, header + 12);
    // Each free block says where the next is, and its own length.
    for (let block = file.readUInt16BE(header + 1); block !== 0; block = file.readUInt16BE(start + block)) {
      this.#mark(start + block, 4);
    }
    if (isInner) this.#tree(file.readUInt32BE(header + 8), onPayload);
    for (let i = 0; i < cells; i++) {
      const cell = start + file.readUInt16BE(header + headerSize + 2 * i);
      this.#cell(cell, kind, onPayload);
    }
  }

  #cell(cell: number, kind: number, onPayload?: (payload: Buffer) => void): void {
    const file = this.#file;
    let at = cell;
    if (kind === kinds.innerIndex || kind === kinds.innerTable) {
      this.#tree(file.readUInt32BE(at), onPayload);
      at += 4;
    }
    if (kind === kinds.innerTable) {
      this.#mark(cell, varintAt(file, at).end - cell);
      this.#used.fill(ByteUse.structure, cell, at);
      return;
    }
    const length = varintAt(file, at);
    at = length.end;
    if (kind === kinds.leafTable) at = varintAt(file, at).end;
    const local = this.#localBytes(length.value, kind === kinds.leafTable);
    const spills = local < length.value;
    this.#mark(cell, at - cell + local + (spills ? 4 : 0));
    if (kind === kinds.innerIndex) this.#used.fill(ByteUse.structure, cell, cell + 4);
    if (kind === kinds.leafTable) {
      // Of our tables with row numbers the first column is the number.
      const type = varintAt(file, at).end;
      if (file[type] === 0) this.#used[type] = ByteUse.rowidType;
    }
    const parts = [file.subarray(at, at + local)];
    if (spills) this.#overflow(file.readUInt32BE(at + local), length.value - local, parts);
    onPayload?.(Buffer.concat(parts));
  }

  #overflow(first: number, length: number, parts: Buffer[]): void {
    let left = length;
    for (let page = first; left > 0; ) {
      const at = this.#offsetOf(page);
      const here = Math.min(left, this.#usable - 4);
      this.#mark(at, 4 + here);
      parts.push(this.#file.subarray(at + 4, at + 4 + here));
      left -= here;
      page = this.#file.readUInt32BE(at);
    }
  }

  #localBytes(payload: number, isTable: boolean): number {
    const usable = this.#usable;
    const most = isTable ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
    if (payload <= most) return payload;
    const least = Math.floor(((usable - 12) * 32) / 255) - 23;
    const fitting = least + ((payload - least) % (usable - 4));
    return fitting <= most ? fitting : least;
  }

  /** A row of sqlite_schema: type, name, table, root page, SQL. */
  #noteRoot(payload: Buffer): void {
    const header = varintAt(payload, 0);
    let at = header.end;
    let body = header.value;
    for (let column = 0; column < 4; column++) {
      const type = varintAt(payload, at);
      at = type.end;
      const size = type.value >= 12 ? Math.floor((type.value - 12) / 2) : ([0, 1, 2, 3, 4][type.value] ?? 0);
      if (column === 3 && size > 0) this.#roots.push(payload.readUIntBE(body, size));
      body += size;
    }
  }
}

function varintAt(bytes: Buffer, offset: number): { value: number; end: number } {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[offset + i]!;
    value = value * 128 + (byte & 127);
    if (byte < 128) return { value, end: offset + i + 1 };
  }
  return { value: value * 256 + bytes[offset + 8]!, end: offset + 9 };
}
