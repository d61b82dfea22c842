/**
 * The first hundred bytes of the file. SQLite reads some of them only now and then, or takes any value: damage there
 * does no harm to what is read, but it is damage. Offsets and meanings: sqlite.org/fileformat2.html.
 */
import { closeSync, openSync, readSync, statSync } from "node:fs";

const headerBytes = 100;

/** Numbers that are the same in every store: offset, length in bytes, value. */
const constants: readonly (readonly [offset: number, length: number, value: number, name: string])[] = [
  [44, 4, 4, "the schema format"],
  [48, 4, 0, "the default cache size"],
  [56, 4, 1, "the text encoding"],
  [64, 4, 1, "the mode of vacuums"],
];
/** Kept for the future, and zero. */
const reserved = { from: 72, to: 92 } as const;
/** How the file is written and read: 2 with a -wal file. */
const writeVersionAt = 18;
const readVersionAt = 19;
/** Counts changes; the second is what it was when the page count was written, which is each time. */
const changeCounterAt = 24;
const validForAt = 92;
/** How often the schema changed: never 0 in a file with tables. */
const schemaCookieAt = 40;

/**
 * What is wrong with the header of a file that nobody has open (closing it here would drop SQLite's locks). Nothing is
 * said of a file whose -wal file is not home: what counts may be there.
 */
export function headerProblems(file: string): string[] {
  if ((statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return [];
  const bytes = Buffer.alloc(headerBytes);
  const descriptor = openSync(file, "r");
  try {
    // A file without a header is another matter.
    if (readSync(descriptor, bytes, 0, headerBytes, 0) < headerBytes) return [];
  } finally {
    closeSync(descriptor);
  }
  const problems: string[] = [];
  const wrong = (offset: number, what: string) => problems.push(`offset ${offset}: ${what}`);
  for (const [offset, length, value, name] of constants) {
    const found = bytes.readUIntBE(offset, length);
    if (found !== value) wrong(offset, `${name} is ${found} instead of ${value}`);
  }
  for (let at = reserved.from; at < reserved.to; at++) {
    if (bytes[at] !== 0) wrong(at, "a byte that is not in use is not zero");
  }
  const [writeVersion, readVersion] = [bytes[writeVersionAt], bytes[readVersionAt]];
  if (writeVersion !== readVersion) {
    wrong(writeVersionAt, `the file is written as version ${writeVersion} and read as ${readVersion}`);
  }
  const [changes, validFor] = [bytes.readUInt32BE(changeCounterAt), bytes.readUInt32BE(validForAt)];
  if (changes !== validFor) wrong(changeCounterAt, `change ${changes}, but the page count is of ${validFor}`);
  if (bytes.readUInt32BE(schemaCookieAt) === 0) wrong(schemaCookieAt, "the schema was never changed");
  return problems;
}
