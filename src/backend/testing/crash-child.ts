/**
 * Writes a known history into a store until it is killed, going on from where the store stands, and says what it was
 * told: `open N`, `written N`, `durable N` (applied indexes). Arguments: folder, seed.
 */
import { Prng } from "../../lib/prng.ts";
import { openSqliteBackend } from "../sqlite/sqlite-backend.ts";
import { crashHistory } from "./crash-history.ts";
import { KnownHistory } from "./known-history.ts";

const [dir, seedText] = process.argv.slice(2);
const seed = Number(seedText);
const say = (what: string, index: number) => process.stdout.write(`${what} ${index}\n`);

// A short -wal file, so that checkpoints are among what is interrupted.
const store = await openSqliteBackend({ dir: dir!, walBytesMax: 200_000 });
const history = new KnownHistory({ ...crashHistory, seed });
const { appliedIndex } = store.position;
while (history.appliedIndex < appliedIndex) history.next();
if (history.appliedIndex !== appliedIndex)
  throw new Error(`a store between two generations: ${appliedIndex}`);
say("open", appliedIndex);

const random = new Prng(seed, appliedIndex);
const failed = (error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
};
if (store.position.compactRevision > store.position.compactedRevision) {
  store.compact(store.position.compactRevision).catch(failed);
}
for (;;) {
  const generation = history.next();
  const before = store.position.compactRevision;
  const written = store.write(generation).then(() => say("written", generation.appliedIndex));
  if (random.chance(0.7)) await written.catch(failed);
  else written.catch(failed);
  if (generation.compactRevision > before) {
    written.then(() => store.compact(generation.compactRevision)).catch(failed);
  }
  if (random.chance(0.05)) store.defragment().catch(failed);
  if (random.chance(0.1)) await store.sync().then(() => say("durable", store.durable.appliedIndex), failed);
}
