/** Databases for tests: contents from a seed, files in memory. */
import type { Disk } from "../../lib/disk.ts";
import type { Prng } from "../../lib/prng.ts";
import { finish } from "../../lib/steps.ts";
import { FaultDisk } from "../../lib/testing/fault-disk.ts";
import { compareBytes } from "../compare-bytes.ts";
import { type BucketSource, bucketOf, type Row } from "../database-source.ts";
import { pageBytes } from "../format.ts";
import { planDatabase } from "../plan-database.ts";
import { writeDatabase } from "../write-database.ts";

export const path = "/snapshot.db";

export interface TestBucket {
  readonly name: string;
  readonly rows: readonly Row[];
}

/** A few buckets of very different shapes, some of them empty. */
export function randomBuckets(prng: Prng): TestBucket[] {
  const names = ["alarm", "auth", "cluster", "key", "lease", "members", "meta"];
  return names.filter(() => prng.chance(0.7)).map((name) => ({ name, rows: randomRows(prng) }));
}

function randomRows(prng: Prng): Row[] {
  const count = prng.pick([0, 1, 2, 3, 10, 130, 1000, 5000]);
  const keyBytes = prng.pick([randomLength(1, 4), randomLength(17, 18), randomLength(1, 300), longKeys]);
  const valueBytes = prng.pick([
    randomLength(0, 0),
    randomLength(0, 60),
    randomLength(900, 2200),
    longValues,
  ]);
  // Long rows in great number make a test slow and show nothing new.
  const limit = keyBytes === longKeys || valueBytes === longValues ? 60 : count;
  const rows = new Map<string, Row>();
  for (let i = 0; i < Math.min(count, limit); i++) {
    const key = randomBytes(prng, keyBytes(prng));
    rows.set(key.join(), { key, value: randomBytes(prng, valueBytes(prng)) });
  }
  return [...rows.values()].sort((a, b) => compareBytes(a.key, b.key));
}

const randomLength = (from: number, to: number) => (prng: Prng) => from + prng.below(to - from + 1);
const longKeys = randomLength(1000, 9000);
/** Around what fits into one page or a few, to the byte. */
const longValues = (prng: Prng) =>
  prng.chance(0.5) ? prng.below(30_000) : pageBytes * (1 + prng.below(3)) - 16 - 16 - prng.below(40);

function randomBytes(prng: Prng, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  // A random beginning makes keys differ; all of a long one would only take time.
  for (let i = 0; i < Math.min(length, 24); i++) bytes[i] = prng.below(256);
  if (length > 24) bytes.fill(prng.below(256), 24);
  return bytes;
}

export function sourcesOf(buckets: readonly TestBucket[]): BucketSource[] {
  return buckets.map(({ name, rows }) => bucketOf(name, rows));
}

/** The file that both passes make. */
export function databaseBytes(buckets: readonly TestBucket[]): Uint8Array {
  const sources = sourcesOf(buckets);
  const plan = finish(planDatabase(sources));
  const file = new Uint8Array(plan.bytes);
  let at = 0;
  for (const chunk of writeDatabase(sources, plan)) {
    if (chunk === undefined) continue;
    file.set(chunk, at);
    at += chunk.length;
  }
  return file;
}

export async function diskWith(bytes: Uint8Array): Promise<Disk & { hook: FaultDisk["hook"] }> {
  const disk = new FaultDisk();
  const file = await disk.open(path, "create");
  await file.write(bytes, 0);
  await file.close();
  return disk;
}
