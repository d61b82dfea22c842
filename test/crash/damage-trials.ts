/** Damages copies of a data folder, starts the server on them and judges what it does. */
import { cpSync, existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Random } from "../support/random.ts";
import type { Report } from "../support/report.ts";
import { ServerProcess } from "../support/server-process.ts";
import { printTable } from "../support/table.ts";
import { Api } from "./api.ts";
import { changeBytes, cutTo, type Damage, endOfData, zeroFrom } from "./damage.ts";
import { type KillOptions, sleep, Trial } from "./kill-trials.ts";
import { checkRows, type Model, sameChanges, WrongData } from "./model.ts";
import { readHistory } from "./verify.ts";

interface Options extends Omit<KillOptions, "kills"> {
  readonly trials: number;
  readonly report: Report;
}

/** A data folder of a server that is not running, and what it must hold. */
interface Prepared {
  readonly name: string;
  readonly folder: string;
  readonly model: Model;
  /** Revisions up to this one were acknowledged before `quietBytes` was measured. */
  readonly quietRevision: number;
  /** Where the data of the newest log segment ended at that moment. */
  readonly quietBytes: number;
  /** What was acknowledged after it. */
  readonly lateAcknowledged: number;
}

/** What the server did with damaged data. */
type Outcome =
  | { readonly kind: "right" }
  | { readonly kind: "older"; readonly revision: number }
  | { readonly kind: "refused"; readonly log: string }
  | { readonly kind: "wrong"; readonly why: string };

interface Kind {
  readonly title: string;
  readonly prepare: (options: Options) => Promise<Prepared>;
  readonly damage: (prepared: Prepared, copy: string, random: Random) => Damage;
  /** Why an outcome is not allowed, or undefined if it is. */
  readonly objection: (outcome: Outcome, damage: Damage, prepared: Prepared) => string | undefined;
}

const kinds: readonly Kind[] = [
  {
    title: "the log cut within its last writes",
    prepare: (options) => prepareKilled(options, "torn", killAtFirstWrite),
    damage: ({ quietBytes }, copy, random) => {
      const file = newestSegment(copy);
      const offset = random.between(quietBytes, endOfData(file));
      return random.chance(0.5) ? cutTo(file, offset) : zeroFrom(file, offset);
    },
    objection: (outcome, damage, { quietRevision, lateAcknowledged }) => {
      // What was acknowledged may be in the store already, and then a log without it is damaged indeed.
      if (outcome.kind === "refused") {
        return lateAcknowledged > 0
          ? unnamed(outcome.log, damage)
          : `refused, though only its end is torn: ${outcome.log}`;
      }
      const lost = outcome.kind === "older" && outcome.revision < quietRevision;
      return lost ? `only revision ${outcome.revision} of ${quietRevision} acknowledged ones` : undefined;
    },
  },
  {
    title: "bytes changed after a kill",
    prepare: (options) => prepareKilled(options, "killed", killSoon),
    damage: (_, copy, random) => changeBytes(random.pick(filesIn(copy)), random),
    objection: damageObjection,
  },
  {
    title: "bytes changed after a clean end",
    prepare: (options) => prepareStopped(options),
    damage: (_, copy, random) => changeBytes(random.pick(filesIn(copy)), random),
    objection: damageObjection,
  },
  {
    title: "the log cut anywhere",
    prepare: (options) => prepareKilled(options, "cut", killSoon),
    damage: (_, copy, random) => {
      const file = newestSegment(copy);
      return cutTo(file, random.below(statSync(file).size));
    },
    objection: (outcome, damage) => (outcome.kind === "refused" ? unnamed(outcome.log, damage) : undefined),
  },
];

function damageObjection(outcome: Outcome, damage: Damage): string | undefined {
  if (outcome.kind === "older") return `serves revision ${outcome.revision} as if nothing came after it`;
  return outcome.kind === "refused" ? unnamed(outcome.log, damage) : undefined;
}

/** A refusal must name the file, or one that belongs to it (SQLite's journal to its database). */
function unnamed(log: string, { file }: Damage): string | undefined {
  const stem = basename(file).replace(/-(wal|shm|journal)$/, "");
  return log.includes(stem) ? undefined : `the log does not name ${basename(file)}:\n${log}`;
}

/** After so many copies of a folder another one is made. */
const trialsOfAFolder = 20;

export async function damageTrials(options: Options): Promise<void> {
  const rows: (string | number)[][] = [];
  const byFile = new Map<string, Counts>();
  for (const kind of kinds) {
    let prepared = await kind.prepare(options);
    const counts = newCounts();
    const objections: string[] = [];
    for (let i = 0; i < options.trials; i++) {
      if (i > 0 && i % trialsOfAFolder === 0) {
        rmSync(prepared.folder, { recursive: true, force: true });
        prepared = await kind.prepare(options);
      }
      const copy = join(options.folder, `${prepared.name}-copy`);
      rmSync(copy, { recursive: true, force: true });
      cpSync(prepared.folder, copy, { recursive: true });
      rmSync(join(copy, "log"), { force: true });
      const damage = kind.damage(prepared, copy, options.random);
      const outcome = await tryOut(options, prepared, copy);
      counts[outcome.kind]++;
      const fileKind = basename(damage.file).endsWith(".wal") ? "log segments" : basename(damage.file);
      const ofFile = byFile.get(fileKind) ?? newCounts();
      byFile.set(fileKind, ofFile);
      ofFile[outcome.kind]++;
      const objection = outcome.kind === "wrong" ? outcome.why : kind.objection(outcome, damage, prepared);
      if (objection) objections.push(`${damage.what}: ${objection}`);
    }
    rows.push([kind.title, ...cells(counts)]);
    if (objections.length === 0) options.report.pass(`${kind.title}: ${options.trials} times`);
    else {
      const first = objections.slice(0, 3).join("\n");
      options.report.fail(kind.title, `${objections.length} of ${options.trials}; the first:\n${first}`);
    }
    rmSync(prepared.folder, { recursive: true, force: true });
  }
  const head = ["all right", "an older state", "refused", "wrong"];
  printTable(["damage", ...head], rows);
  printTable(
    ["file", ...head],
    [...byFile].map(([file, counts]) => [file, ...cells(counts)]),
  );
}

type Counts = Record<Outcome["kind"], number>;

const newCounts = (): Counts => ({ right: 0, older: 0, refused: 0, wrong: 0 });
const cells = ({ right, older, refused, wrong }: Counts): number[] => [right, older, refused, wrong];

/** Starts the server on a copy and reads everything from it. */
async function tryOut(options: Options, prepared: Prepared, copy: string): Promise<Outcome> {
  const server = await ServerProcess.start({ program: options.program, folder: copy, flags: options.flags });
  try {
    await server.ready(20_000);
  } catch (error) {
    const ended = server.exit !== undefined && server.exit.status !== 0;
    const log = server.logTail(30);
    await server.kill();
    return ended ? { kind: "refused", log } : { kind: "wrong", why: `neither serves nor ends: ${error}` };
  }
  const api = new Api(server.url);
  try {
    return await compare(api, prepared.model);
  } catch (error) {
    if (error instanceof WrongData) return { kind: "wrong", why: error.message };
    // The server noticed when it read: it said so to the caller, or ended. Its log must say what it found.
    await sleep(100);
    return { kind: "refused", log: `${error}\n${server.logTail(30)}` };
  } finally {
    api.close();
    await server.kill();
  }
}

/** Throws `WrongData` unless what the server holds is the model at its newest or at an older revision. */
async function compare(api: Api, model: Model): Promise<Outcome> {
  const revision = await api.revision();
  const { compactRevision, history } = await readHistory(api, revision);
  const first = Math.max(compactRevision, 1) + 1;
  if (revision > model.revision) checkOnlyLeasesEnded(history, model, first);
  const known = Math.min(revision, model.revision);
  for (let at = first; at <= known; at++) {
    const found = history[at - first];
    if (model.has(at) && (!found || !sameChanges(found, model.at(at))))
      throw new WrongData(`revision ${at} differs`);
  }
  if (model.has(known + 1) || known === model.revision) {
    checkRows(`revision ${known}`, await api.all(known), model.rowsAt(known));
  }
  return revision < model.revision ? { kind: "older", revision } : { kind: "right" };
}

/** Leases go on ending while the server runs. Nothing else may come after what is known. */
function checkOnlyLeasesEnded(
  history: readonly (readonly { value: unknown; key: string }[])[],
  model: Model,
  first: number,
) {
  for (const changes of history.slice(Math.max(0, model.revision + 1 - first))) {
    const isEnd = changes.every(
      (change) => change.value === undefined && (model.row(change.key)?.lease ?? 0n) !== 0n,
    );
    if (!isEnd) throw new WrongData("there is a revision that nobody made");
  }
}

/** When the server is killed in the load after the quiet moment. `segment` is the newest one of its log. */
type Killing = (server: ServerProcess, segment: string, random: Random) => Promise<void>;

async function killSoon(server: ServerProcess): Promise<void> {
  await sleep(150);
  await server.kill();
}

/** While the log is being written for the first time, so that next to nothing of it was acknowledged. */
async function killAtFirstWrite(server: ServerProcess, segment: string, random: Random): Promise<void> {
  const written = () => statSync(segment, { bigint: true }).mtimeNs;
  const before = written();
  while (written() === before) await sleep(0);
  await sleep(random.below(4));
  await server.kill();
}

/** Load, a quiet moment, more load, and a kill in it. The model is what a start finds there. */
async function prepareKilled(options: Options, name: string, kill: Killing): Promise<Prepared> {
  const { trial, folder } = await loaded(options, name);
  const running = trial.server as ServerProcess;
  const quietRevision = trial.model.revision;
  const segment = newestSegment(folder);
  const quietBytes = endOfData(segment);
  const journal = await trial.load(0, (server) => kill(server, segment, options.random));
  if (newestSegment(folder) !== segment) return prepareKilled(options, `${name}+`, kill);
  // The undamaged folder is checked on a copy, so that the start does not tidy up the original.
  const pristine = `${folder}-pristine`;
  cpSync(running.dataFolder, join(pristine, "data"), { recursive: true });
  await trial.start(false);
  await trial.check(journal);
  await trial.server?.kill();
  rmSync(folder, { recursive: true, force: true });
  const lateAcknowledged = journal.acknowledged.length;
  if (kill === killAtFirstWrite && endOfData(newestSegment(pristine)) === quietBytes) {
    return prepareKilled(options, `${name}+`, kill); // killed before anything was written: nothing could be torn
  }
  return { name, folder: pristine, model: trial.model, quietRevision, quietBytes, lateAcknowledged };
}

async function prepareStopped(options: Options): Promise<Prepared> {
  const name = "stopped";
  const { trial, folder } = await loaded(options, name);
  await trial.server?.stop();
  return {
    name,
    folder,
    model: trial.model,
    quietRevision: trial.model.revision,
    quietBytes: endOfData(newestSegment(folder)),
    lateAcknowledged: 0,
  };
}

/** A server on a folder of its own, after some load and a restart, with everything checked. */
async function loaded(options: Options, name: string): Promise<{ trial: Trial; folder: string }> {
  const folder = join(options.folder, name);
  const trial = new Trial({ ...options, folder, kills: 0 });
  await trial.start(false);
  const first = await trial.load(1_500, (server) => server.kill());
  await trial.start(false);
  await trial.check(first);
  const second = await trial.load(1_500);
  await trial.checkWithoutRestart(second);
  return { trial, folder };
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).size > 0);
}

function newestSegment(folder: string): string {
  const data = existsSync(join(folder, "data")) ? join(folder, "data") : folder;
  const segments = filesIn(data).filter((file) => file.endsWith(".wal"));
  const newest = segments.toSorted((a, b) => (basename(a) < basename(b) ? -1 : 1)).at(-1);
  if (!newest) throw new Error(`no log segment in ${folder}`);
  return newest;
}
