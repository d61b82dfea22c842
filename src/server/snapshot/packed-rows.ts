/**
 * Rows held in few large buffers: a row costs its bytes and eight more, and not two objects. For the leases of a store
 * while a snapshot is sent, of which there may be a million.
 */
import type { Row } from "../../bbolt/database-source.ts";

const blockBytes = 64 * 1024;
const headBytes = 8;

export class PackedRows {
  readonly #blocks: { readonly bytes: Uint8Array; readonly view: DataView; used: number }[] = [];
  count = 0;

  add(key: Uint8Array, value: Uint8Array): void {
    const size = headBytes + key.length + value.length;
    let block = this.#blocks.at(-1);
    if (block === undefined || block.used + size > block.bytes.length) {
      const bytes = new Uint8Array(Math.max(blockBytes, size));
      block = { bytes, view: new DataView(bytes.buffer), used: 0 };
      this.#blocks.push(block);
    }
    const { bytes, view, used } = block;
    view.setUint32(used, key.length);
    view.setUint32(used + 4, value.length);
    bytes.set(key, used + headBytes);
    bytes.set(value, used + headBytes + key.length);
    block.used += size;
    this.count++;
  }

  /** In the order in which they were added, a block at a time. The bytes are views. */
  *batches(): Generator<Row[], void, undefined> {
    for (const { bytes, view, used } of this.#blocks) {
      const rows: Row[] = [];
      for (let at = 0; at < used; ) {
        const keyAt = at + headBytes;
        const valueAt = keyAt + view.getUint32(at);
        const end = valueAt + view.getUint32(at + 4);
        rows.push({ key: bytes.subarray(keyAt, valueAt), value: bytes.subarray(valueAt, end) });
        at = end;
      }
      yield rows;
    }
  }
}
