/**
 * HalfSipHash-2-4 with 64 bits of result (Aumasson, Bernstein): a hash with a key, in arithmetic of 32 bits, which
 * JavaScript is quick at. Who does not know the key cannot find two inputs with one hash.
 */

/** The four words of the state. */
let v0 = 0;
let v1 = 0;
let v2 = 0;
let v3 = 0;

function rounds(count: number): void {
  for (let i = 0; i < count; i++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
}

function absorb(word: number): void {
  v3 ^= word;
  rounds(2);
  v0 ^= word;
}

/** Puts the two halves of the hash, unsigned, into `into`. */
export function halfSipHash(bytes: Uint8Array, key: readonly [number, number], into: Uint32Array): void {
  const [k0, k1] = key;
  v0 = k0 | 0;
  v1 = k1 ^ 0xee;
  v2 = 0x6c796765 ^ k0;
  v3 = 0x74656462 ^ k1;
  const { length } = bytes;
  const whole = length & ~3;
  for (let at = 0; at < whole; at += 4) {
    absorb(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
  }
  let last = length << 24;
  for (let at = whole; at < length; at++) last |= bytes[at]! << (8 * (at - whole));
  absorb(last);
  v2 ^= 0xee;
  rounds(4);
  into[0] = v1 ^ v3;
  v1 ^= 0xdd;
  rounds(4);
  into[1] = v1 ^ v3;
}
