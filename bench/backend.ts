/**
 * What the backends can do, alone: `bun bench/backend.ts [--kind sqlite|memory] [--keys N] [--driver NAME]
 * [--page-size BYTES] [--writer-cache MIB] [--wal-max MIB] [--writes-only]`. Figures are in src/backend/DESIGN.md.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Backend, BinaryKey, Generation, Version } from "../src/backend/backend.ts";
import { type BackendOptions, openBackend } from "../src/backend/open.ts";
import { type LeaseId, noLease, type RaftIndex, type Revision, type Term } from "../src/lib/ids.ts";
import { Prng } from "../src/lib/prng.ts";
import type { SqliteDriverName } from "../src/runtime/sqlite.ts";

const { values } = parseArgs({
  options: {
    kind: { type: "string", default: "sqlite" },
    keys: { type: "string", default: "1000000" },
    driver: { type: "string" },
    "page-size": { type: "string", default: "4096" },
    "writer-cache": { type: "string", default: "4" },
    "wal-max": { type: "string", default: "32" },
    "writes-only": { type: "boolean", default: false },
    dir: { type: "string" },
  },
});

const keyCount = Number(values.keys);
const generationRows = 10_000;
const random = new Prng(1);
const dir = mkdtempSync(join(values.dir ?? tmpdir(), "etclite-bench-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));

const options: BackendOptions =
  values.kind === "memory"
    ? { kind: "memory" }
    : {
        kind: "sqlite",
        dir,
        pageSize: Number(values["page-size"]),
        writerCacheBytes: Number(values["writer-cache"]) * 1024 * 1024,
        walBytesMax: Number(values["wal-max"]) * 1024 * 1024,
        ...(values.driver ? { driver: values.driver as SqliteDriverName } : {}),
      };
let backend: Backend = await openBackend(options);

const value = new Uint8Array(256).fill(120);
const name = (i: number): BinaryKey => `/registry/pods/default/${String(i).padStart(7, "0")}`;
const versionOf = new Uint32Array(keyCount);
let revision = 1;
let appliedIndex = 0;
let compactRevision = 0;

function generation(picks: readonly number[]): Generation {
  const versions: Version[] = picks.map((i) => ({
    key: name(i),
    modRevision: ++revision as Revision,
    sub: 0,
    // The truth does not matter here, only that it is a number of this size.
    createRevision: (i + 2) as Revision,
    version: ++versionOf[i]!,
    lease: i % 10 === 0 ? (7587848943239472000n as LeaseId) : noLease,
    value,
  }));
  appliedIndex += versions.length;
  return {
    versions,
    meta: [],
    appliedIndex: appliedIndex as RaftIndex,
    appliedTerm: 1 as Term,
    revision: revision as Revision,
    compactRevision: compactRevision as Revision,
  };
}

const say = (what: string, figure: string) => console.log(`${what.padEnd(46)} ${figure}`);
const rss = () => {
  if (!existsSync("/proc/self/status")) return process.memoryUsage().rss / 1e6;
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) / 1e3;
};
const fileMb = () => {
  const file = join(dir, "store.db");
  const size = (path: string) => (existsSync(path) ? statSync(path).size / 1e6 : 0);
  return `${size(file).toFixed(0)} MB, -wal ${size(`${file}-wal`).toFixed(0)} MB`;
};

/** Two generations under way, as mvcc has them: one being written, one being filled. */
async function load(what: string, rows: number, pick: (i: number) => number): Promise<void> {
  const start = performance.now();
  const cpu = process.cpuUsage();
  let before: Promise<void> = Promise.resolve();
  let mainMs = 0;
  for (let i = 0; i < rows; i += generationRows) {
    const picks = Array.from({ length: Math.min(generationRows, rows - i) }, (_, j) => pick(i + j));
    const made = generation(picks);
    const t = performance.now();
    const written = backend.write(made);
    mainMs += performance.now() - t;
    await before;
    before = written;
  }
  await before;
  const seconds = (performance.now() - start) / 1000;
  // Processor time of all threads says more than the rate when the machine is busy with other things.
  const { user, system } = process.cpuUsage(cpu);
  const rate = `${(rows / seconds / 1000).toFixed(0)}k/s`;
  const [main, all] = [(mainMs * 1000) / rows, (user + system) / rows].map((us) => us.toFixed(2));
  say(what, `${rate}, a row: encode ${main} us, processor ${all} us`);
}

function time(what: string, times: number, action: (i: number) => void): void {
  for (let i = 0; i < Math.min(times, 2000); i++) action(i);
  const start = performance.now();
  const cpu = process.cpuUsage();
  for (let i = 0; i < times; i++) action(i);
  const us = ((performance.now() - start) * 1000) / times;
  const { user, system } = process.cpuUsage(cpu);
  say(what, `${us.toFixed(2)} us, processor ${((user + system) / times).toFixed(2)} us`);
}

const atNewest = () => revision as Revision;
const anyKey = () => random.below(keyCount);

console.log(
  `${"bun" in process.versions ? "Bun" : "Deno" in globalThis ? "Deno" : "Node"}, ${keyCount} keys`,
);
await load("insert in key order", keyCount, (i) => i);
say("after the load", `rss ${rss().toFixed(0)} MB, file ${fileMb()}`);
await load("overwrite 1,000 hot keys", 300_000, () => random.below(1000));
await load("overwrite at random", 200_000, anyKey);
say("after the overwrites", `rss ${rss().toFixed(0)} MB, file ${fileMb()}`);
if (values["writes-only"]) {
  await backend.close();
  process.exit();
}

time("newestHead, random", 100_000, () => backend.newestHead(name(anyKey())));
time("newestHead, 1,000 hot keys", 100_000, () => backend.newestHead(name(random.below(1000))));
time("newestHead, missing", 100_000, () => backend.newestHead(`${name(anyKey())}x`));
time("versionAt newest, random", 50_000, () => backend.versionAt(name(anyKey()), atNewest()));
time("versionAt newest, 1,000 hot keys", 50_000, () =>
  backend.versionAt(name(random.below(1000)), atNewest()),
);
time("versionAt newest, missing", 50_000, () => backend.versionAt(`${name(anyKey())}x`, atNewest()));
const past = () => (keyCount + random.below(300_000)) as Revision;
time("versionAt in the past, hot keys (300 versions)", 5000, () =>
  backend.versionAt(name(random.below(1000)), past()),
);
const same = (keyCount + 150_000) as Revision;
time("the same, at one revision", 5000, () => backend.versionAt(name(random.below(1000)), same));
const part = { from: name(Math.floor(keyCount / 2)), to: undefined };
time("scan 1,000 rows (a row)", 100, () => backend.scan(part, { atRevision: atNewest(), limit: 1000 }));
time("scan 1,000 keys only (a scan)", 100, () =>
  backend.scan(part, { atRevision: atNewest(), limit: 1000, keysOnly: true }),
);
time("scan 10 rows, random", 20_000, () => {
  backend.scan({ from: name(anyKey()), to: undefined }, { atRevision: atNewest(), limit: 10 });
});
const everything = { from: "", to: "\xff" };
time("count 50,000 at the newest", 20, () => backend.count(everything, atNewest(), 50_000));
time("count 50,000 at the newest but one", 20, () =>
  backend.count(everything, (revision - 1) as Revision, 50_000),
);
time("history, 1,000 rows", 100, () =>
  backend.history({ revision: random.below(revision) as Revision, sub: 0 }, 1000, 1e9),
);
time("keysOfLease, 1,000", 20, () => backend.keysOfLease(7587848943239472000n as LeaseId, undefined, 1000));
say("after the reads", `rss ${rss().toFixed(0)} MB`);

{
  const start = performance.now();
  await backend.sync();
  say("sync", `${(performance.now() - start).toFixed(1)} ms`);
}
{
  compactRevision = revision;
  await backend.write(generation([]));
  const start = performance.now();
  let running = true;
  const compacting = backend.compact(revision as Revision).then(({ removed }) => {
    running = false;
    return removed;
  });
  let longest = 0;
  while (running) {
    const t = performance.now();
    await backend.write(generation([anyKey()]));
    longest = Math.max(longest, performance.now() - t);
  }
  const removed = await compacting;
  const seconds = (performance.now() - start) / 1000;
  say("compact, with writes beside it", `${removed} rows, ${(removed / seconds / 1000).toFixed(0)}k/s`);
  say("longest wait of such a write", `${longest.toFixed(1)} ms`);
  const { totalBytes, inUseBytes } = backend.sizes();
  say("sizes", `${(totalBytes / 1e6).toFixed(0)} MB, in use ${(inUseBytes / 1e6).toFixed(0)} MB`);
}
{
  const start = performance.now();
  let running = true;
  const defragmenting = backend.defragment().then(() => {
    running = false;
  });
  let longest = 0;
  while (running) {
    const t = performance.now();
    await backend.write(generation([anyKey()]));
    longest = Math.max(longest, performance.now() - t);
  }
  await defragmenting;
  say("defragment, with writes beside it", `${((performance.now() - start) / 1000).toFixed(1)} s`);
  say("longest wait of such a write", `${longest.toFixed(1)} ms`);
  say("sizes", `${(backend.sizes().totalBytes / 1e6).toFixed(0)} MB, file ${fileMb()}`);
}
{
  const start = performance.now();
  await backend.close();
  say("close", `${(performance.now() - start).toFixed(1)} ms`);
  if (values.kind !== "memory") {
    const again = performance.now();
    backend = await openBackend(options);
    say("open again", `${(performance.now() - again).toFixed(1)} ms`);
    await backend.close();
  }
}
