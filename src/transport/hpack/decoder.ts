import { DynamicTable, entryOverheadBytes } from "./dynamic-table.ts";
import { HpackError } from "./hpack-error.ts";
import { decodeHuffman } from "./huffman.ts";
import { staticNames, staticTableLength, staticValues } from "./static-table.ts";

/** A decoded block: name, value, name, value ... Strings have one character an octet. */
export interface HeaderList {
  readonly fields: string[];
  /** As SETTINGS_MAX_HEADER_LIST_SIZE counts: octets plus 32 a field. */
  readonly sizeBytes: number;
  /** True when the limit was passed: the fields after it were decoded (the table must follow) but dropped. */
  readonly truncated: boolean;
}

/** No integer in a header block needs more than this: lengths are bounded by frames, indices by the table. */
const maxInteger = 0x0fffffff;

/** RFC 7541 decoder of one connection. A block must be complete; any HpackError leaves the decoder unusable. */
export class HpackDecoder {
  readonly table: DynamicTable;
  private readonly maxListBytes: number;
  private block: Buffer = Buffer.alloc(0);
  private at = 0;
  private end = 0;

  constructor(options: { readonly tableBytes: number; readonly maxListBytes: number }) {
    this.table = new DynamicTable(options.tableBytes);
    this.maxListBytes = options.maxListBytes;
  }

  decode(block: Buffer, start: number, end: number): HeaderList {
    this.block = block;
    this.at = start;
    this.end = end;
    const fields: string[] = [];
    let sizeBytes = 0;
    let truncated = false;
    this.readSizeUpdates();
    while (this.at < this.end) {
      const first = block[this.at]!;
      let name: string;
      let value: string;
      if (first & 0x80) {
        const index = this.readInteger(0x7f);
        name = this.nameOf(index);
        value =
          index <= staticTableLength
            ? staticValues[index]!
            : this.table.valueAt(this.table.slot(index - staticTableLength - 1));
      } else if ((first & 0xe0) === 0x20) {
        throw new HpackError("table size update after the start of a block");
      } else {
        const isIndexed = (first & 0x40) !== 0;
        const index = this.readInteger(isIndexed ? 0x3f : 0x0f);
        name = index === 0 ? this.readString() : this.nameOf(index);
        value = this.readString();
        if (isIndexed) this.table.add(name, value);
      }
      sizeBytes += name.length + value.length + entryOverheadBytes;
      if (sizeBytes > this.maxListBytes) truncated = true;
      else fields.push(name, value);
    }
    return { fields, sizeBytes, truncated };
  }

  /** RFC 7541, 4.2: updates stand at the beginning of a block, at most two of them. */
  private readSizeUpdates(): void {
    for (let updates = 0; this.at < this.end && (this.block[this.at]! & 0xe0) === 0x20; updates++) {
      if (updates === 2) throw new HpackError("more than two table size updates in a block");
      const bytes = this.readInteger(0x1f);
      if (bytes > this.table.limitBytes) throw new HpackError("table size update above the limit");
      this.table.resize(bytes);
    }
  }

  private nameOf(index: number): string {
    if (index === 0) throw new HpackError("index 0");
    if (index <= staticTableLength) return staticNames[index]!;
    const slot = this.table.slot(index - staticTableLength - 1);
    if (slot < 0) throw new HpackError("index beyond the table");
    return this.table.nameAt(slot);
  }

  /** RFC 7541, 5.1. `mask` covers the prefix bits. */
  private readInteger(mask: number): number {
    let value = this.block[this.at++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; ; shift += 7) {
      if (this.at >= this.end) throw new HpackError("integer past the end of the block");
      if (shift > 28) throw new HpackError("integer too long");
      const octet = this.block[this.at++]!;
      value += (octet & 0x7f) * 2 ** shift;
      if (value > maxInteger) throw new HpackError("integer too large");
      if ((octet & 0x80) === 0) return value;
    }
  }

  /** RFC 7541, 5.2. */
  private readString(): string {
    if (this.at >= this.end) throw new HpackError("string past the end of the block");
    const isHuffman = (this.block[this.at]! & 0x80) !== 0;
    const length = this.readInteger(0x7f);
    const start = this.at;
    const end = start + length;
    if (end > this.end) throw new HpackError("string past the end of the block");
    this.at = end;
    return isHuffman ? decodeHuffman(this.block, start, end) : this.block.toString("latin1", start, end);
  }
}
