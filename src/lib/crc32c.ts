/**
 * CRC-32C (Castagnoli), the checksum of the write-ahead log.
 *
 * Sixteen bytes a step with sixteen tables ("slicing by 16"). Reading words through a DataView is as quick as
 * anything else on JavaScriptCore and half as quick again as bytes on V8, so the kernel takes a view; measured at
 * 1.9 GB/s on Bun, Node and Deno alike (bytewise: 0.4 GB/s, slicing by 8: 1.45 GB/s).
 */

/** The reflected polynomial 0x1EDC6F41. */
const polynomial = 0x82f63b78;
const slices = 16;

/** Table k, at offset 256 * k, moves a byte over k further zero bytes. One array, so that 16 KiB stay in one place. */
const tables = makeTables();

function makeTables(): Int32Array {
  const all = new Int32Array(slices * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    all[byte] = crc;
  }
  for (let slot = 256; slot < all.length; slot++) {
    const before = all[slot - 256]!;
    all[slot] = (before >>> 8) ^ all[before & 255]!;
  }
  return all;
}

/**
 * The checksum of the bytes `start` to `end` (left out) of a view, as an unsigned 32-bit number. `previous` is the
 * checksum of what came before them: `crc32cOfView(v, 4, 8, crc32cOfView(v, 0, 4)) === crc32cOfView(v, 0, 8)`.
 */
export function crc32cOfView(view: DataView, start: number, end: number, previous = 0): number {
  const t = tables;
  let crc = ~previous;
  let at = start;
  for (const lastStep = end - slices; at <= lastStep; at += slices) {
    const a = view.getInt32(at, true) ^ crc;
    const b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true);
    const d = view.getInt32(at + 12, true);
    crc =
      t[3840 + (a & 255)]! ^
      t[3584 + ((a >>> 8) & 255)]! ^
      t[3328 + ((a >>> 16) & 255)]! ^
      t[3072 + (a >>> 24)]! ^
      t[2816 + (b & 255)]! ^
      t[2560 + ((b >>> 8) & 255)]! ^
      t[2304 + ((b >>> 16) & 255)]! ^
      t[2048 + (b >>> 24)]! ^
      t[1792 + (c & 255)]! ^
      t[1536 + ((c >>> 8) & 255)]! ^
      t[1280 + ((c >>> 16) & 255)]! ^
      t[1024 + (c >>> 24)]! ^
      t[768 + (d & 255)]! ^
      t[512 + ((d >>> 8) & 255)]! ^
      t[256 + ((d >>> 16) & 255)]! ^
      t[d >>> 24]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ t[(crc ^ view.getUint8(at)) & 255]!;
  return ~crc >>> 0;
}

/** The checksum of all of `bytes`, as an unsigned 32-bit number; `previous` as in `crc32cOfView`. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  return crc32cOfView(
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    0,
    bytes.length,
    previous,
  );
}
