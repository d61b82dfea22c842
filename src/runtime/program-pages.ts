/**
 * Giving back what a start leaves behind of the program itself. An executable of a hundred megabytes is mapped, not read:
 * a page of it counts as resident from its first use on, and most of those that a start uses are never used again. To the
 * kernel they are copies of the file, so nothing is lost by letting go of them: one that is needed after all is mapped
 * again, from the page cache.
 */
import { readFile, readlink } from "node:fs/promises";
import { openLibc } from "./libc.ts";

const madvDontNeed = 4;

/** A mapping from /proc/self/smaps. */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly residentBytes: number;
}

/**
 * The mappings of `program` that hold what its file holds: none that can be written to, and none of which the process has
 * a page of its own (as the linker, or a debugger, makes them).
 */
export function cleanMappings(smaps: string, program: string): Mapping[] {
  const found: Mapping[] = [];
  for (const entry of smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ \d+ +(\/.*)$/m.exec(entry);
    if (head?.[3] !== program || bytesOf(entry, "Anonymous") !== 0 || bytesOf(entry, "Swap") !== 0) continue;
    const [start, end] = [Number.parseInt(head[1]!, 16), Number.parseInt(head[2]!, 16)];
    found.push({ start, end, residentBytes: bytesOf(entry, "Rss") });
  }
  return found;
}

/** NaN if the kernel does not say. */
const bytesOf = (entry: string, name: string): number =>
  Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(entry)?.[1]) * 1024;

/**
 * Lets go of the program's own pages, for a moment at which there is nothing to do. Resolves to how many bytes they were;
 * undefined where that is not possible.
 */
export async function releaseProgramPages(): Promise<number | undefined> {
  if (process.platform !== "linux") return undefined;
  const libc = await openLibc({ madvise: { parameters: ["u64", "u64", "i32"], result: "i32" } });
  if (!libc) return undefined;
  // In the thread pool: the kernel goes through all of the process's pages for it.
  const smaps = await readFile("/proc/self/smaps", "utf8").catch(() => "");
  const program = await readlink("/proc/self/exe").catch(() => "");
  let released = 0;
  for (const { start, end, residentBytes } of cleanMappings(smaps, program)) {
    if (libc.madvise(start, end - start, madvDontNeed) === 0) released += residentBytes;
  }
  return released;
}
