/**
 * No sector of a frame is ever all zeros.
 *
 * Fresh parts of a segment are zeros, and a disk writes whole sectors. So a frame of which a sector is zeros was not
 * written to its end (a torn write, never acknowledged, to be cut off), and an invalid frame of which every sector is
 * there was once whole (damage, to be refused). That only holds if a whole frame has no such sector, and clients
 * store zeros: then the words of the payload are XORed with a mask under which no sector comes near to being zeros.
 */
import { frameHeaderBytes, sectorBytes } from "./format.ts";

/** The padding is all ones: this mask would make it zeros. */
const forbiddenMask = 0xffffffff;

/** A sector with fewer words that are not zero is too close to zeros: a few flipped bits would make it look unwritten. */
const wordsMin = 4;

/**
 * A mask for the payload in `view` (after 32 bytes for the header) that goes to `position` in a file. 0, which changes
 * nothing, for nearly every payload. `view.byteLength` is a multiple of 32. `seed` starts the search for another one:
 * something that clients cannot know.
 */
export function chooseMask(view: DataView, end: number, position: number, seed: number): number {
  let mask = 0;
  // Each sector excludes at most one mask, so this ends after at most as many rounds as there are sectors.
  while (mask === forbiddenMask || !everySectorShows(view, end, position, mask)) {
    mask = (Math.imul(mask, 0x9e3779b1) + (seed | 1)) >>> 0;
  }
  return mask;
}

/** Whether in each sector at least `wordsMin` words of the payload differ from `mask`. */
function everySectorShows(view: DataView, end: number, position: number, mask: number): boolean {
  const wanted = mask | 0;
  // The header's sector shows itself by the header: begin at the first boundary after it.
  let start = sectorBytes - (position % sectorBytes);
  while (start < end) {
    const sectorEnd = Math.min(start + sectorBytes, end);
    let different = 0;
    for (let at = start; at < sectorEnd && different < wordsMin; at += 4) {
      if (view.getInt32(at, true) !== wanted) different++;
    }
    if (different < wordsMin) return false;
    start = sectorEnd;
  }
  return true;
}

/** XORs the payload in `view`, from behind the header to `end`, with `mask`. Doing it twice undoes it. */
export function applyMask(view: DataView, end: number, mask: number, start: number = frameHeaderBytes): void {
  if (mask === 0) return;
  for (let at = start; at < end; at += 4) view.setInt32(at, view.getInt32(at, true) ^ mask, true);
}

/**
 * Whether some sector of what lies in `view` from `start` to `end` is all zeros. `position` is where `start` lies in
 * the file: sectors are counted from the file's beginning.
 */
export function hasZeroSector(view: DataView, start: number, end: number, position: number): boolean {
  for (let from = start; from < end; ) {
    const to = Math.min(end, from + sectorBytes - ((position + from - start) % sectorBytes));
    let zero = true;
    for (let at = from; at < to && zero; at++) zero = view.getUint8(at) === 0;
    if (zero) return true;
    from = to;
  }
  return false;
}
