/**
 * A Bloom filter over keys: says of most keys that were never added that they were not. Its size is fixed, so it is
 * right for any number of keys and useful up to some tens of millions.
 */
import { crc32 } from "node:zlib";

/** 16 MiB. With 10,000,000 keys it is wrong about one key in 150. */
const bits = 2 ** 27;
const probes = 4;

export class KeyFilter {
  readonly #words = new Uint32Array(bits / 32);

  add(key: Uint8Array): void {
    let at = crc32(key);
    const step = stepOf(at);
    for (let i = 0; i < probes; i++) {
      const bit = at % bits;
      this.#words[bit >>> 5]! |= 1 << (bit & 31);
      at = (at + step) >>> 0;
    }
  }

  mayHave(key: Uint8Array): boolean {
    let at = crc32(key);
    const step = stepOf(at);
    for (let i = 0; i < probes; i++) {
      const bit = at % bits;
      if ((this.#words[bit >>> 5]! & (1 << (bit & 31))) === 0) return false;
      at = (at + step) >>> 0;
    }
    return true;
  }
}

/** A CRC from another start would only differ by a constant; a product with an odd number does not. */
const stepOf = (hash: number): number => Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) | 1;
