/** What an entry costs on top of its octets (RFC 7541, 4.1). */
export const entryOverheadBytes = 32;

/**
 * The decoder's dynamic table (RFC 7541, 2.3.2): a ring of the newest fields, bounded in bytes.
 *
 * `generation` changes whenever an index could mean something else than before. What was decoded without touching
 * the table stays true as long as the generation does: that is what the block cache relies on.
 */
export class DynamicTable {
  generation = 0;
  /** What the peer chose, by a size update within our limit. */
  private maxBytes: number;
  private bytes = 0;
  private length = 0;
  /** Where the next entry goes. */
  private head = 0;
  private readonly names: string[];
  private readonly values: string[];

  /** `limitBytes` is our SETTINGS_HEADER_TABLE_SIZE. */
  readonly limitBytes: number;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
    this.maxBytes = limitBytes;
    const slots = Math.max(1, Math.floor(limitBytes / entryOverheadBytes));
    this.names = new Array<string>(slots).fill("");
    this.values = new Array<string>(slots).fill("");
  }

  get count(): number {
    return this.length;
  }

  get sizeBytes(): number {
    return this.bytes;
  }

  /** The slot of the entry `age` steps old (0: the newest), or -1. */
  slot(age: number): number {
    if (age < 0 || age >= this.length) return -1;
    const at = this.head - 1 - age;
    return at < 0 ? at + this.names.length : at;
  }

  nameAt(slot: number): string {
    return this.names[slot]!;
  }

  valueAt(slot: number): string {
    return this.values[slot]!;
  }

  /** RFC 7541, 4.4: evicts from the old end; an entry larger than the table empties it. */
  add(name: string, value: string): void {
    this.generation++;
    const size = name.length + value.length + entryOverheadBytes;
    this.evictTo(this.maxBytes - size);
    if (size > this.maxBytes) return;
    this.names[this.head] = name;
    this.values[this.head] = value;
    this.head = this.head + 1 === this.names.length ? 0 : this.head + 1;
    this.length++;
    this.bytes += size;
  }

  /** A size update from the peer. The caller has checked it against `limitBytes`. */
  resize(maxBytes: number): void {
    this.generation++;
    this.maxBytes = maxBytes;
    this.evictTo(maxBytes);
  }

  private evictTo(bytes: number): void {
    while (this.length > 0 && this.bytes > bytes) {
      const oldest = this.slot(this.length - 1);
      this.bytes -= this.names[oldest]!.length + this.values[oldest]!.length + entryOverheadBytes;
      this.names[oldest] = "";
      this.values[oldest] = "";
      this.length--;
    }
  }
}
