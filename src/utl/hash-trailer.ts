/**
 * The SHA-256 behind a database file that came from a server: the only 32 bytes that do not make a whole sector, so its
 * length tells whether there is one.
 */
import { createHash } from "node:crypto";
import type { Disk } from "../lib/disk.ts";

export const hashBytes = 32;
const sectorBytes = 512;
const readBytes = 1024 * 1024;

/** Throws, in etcdutl's words, if the file does not end with the hash of what comes before. */
export async function verifyHash(disk: Disk, path: string): Promise<void> {
  const file = await disk.open(path, "read");
  try {
    const size = await file.size();
    if (size % sectorBytes !== hashBytes) {
      throw new Error("snapshot missing hash but --skip-hash-check=false");
    }
    const hash = createHash("sha256");
    const buffer = new Uint8Array(readBytes);
    const end = size - hashBytes;
    for (let at = 0; at < end; ) {
      const count = await file.read(buffer.subarray(0, Math.min(readBytes, end - at)), at);
      if (count === 0) throw new Error(`${path} ended at offset ${at} while it was read`);
      hash.update(buffer.subarray(0, count));
      at += count;
    }
    const expected = new Uint8Array(hashBytes);
    await file.read(expected, end);
    const found = hash.digest();
    if (!found.equals(expected)) {
      throw new Error(`expected sha256 [${expected.join(" ")}], got [${found.join(" ")}]`);
    }
  } finally {
    await file.close();
  }
}
