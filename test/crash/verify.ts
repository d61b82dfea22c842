/** Holds a server that has just started against what is known. DESIGN.md beside this lists what is checked. */
import { GrpcError } from "../support/grpc-client.ts";
import type { Random } from "../support/random.ts";
import { withTimeout } from "../support/report.ts";
import type { Api, Change, Event } from "./api.ts";
import type { LeaseBook } from "./lease-book.ts";
import { byRevision, checkRows, type Model, sameChanges, show, WrongData } from "./model.ts";
import type { Journal, Operation } from "./workload.ts";

/** What one check found, for the numbers at the end and for the next check. */
export interface Findings {
  readonly revision: number;
  readonly compactRevision: number;
  readonly acknowledged: number;
  /** Open operations that turned out to have happened. */
  readonly openDone: number;
  readonly leaseEnds: number;
  readonly hash: number;
}

interface Known {
  readonly api: Api;
  readonly model: Model;
  readonly leases: LeaseBook;
  readonly random: Random;
  /** What the last check found. */
  readonly before: Findings | undefined;
}

/** Checks, and brings the model up to date. */
export async function verify(known: Known, journal: Journal): Promise<Findings> {
  const { api, model, leases } = known;
  const revision = await api.revision();
  if (journal.wrong) throw await withHistory(api, revision, journal, journal.wrong);
  const { compactRevision, history } = await readHistory(api, revision);
  checkCompaction(journal, known.before, compactRevision);
  await checkCompacted(api, compactRevision);
  checkOldHistory(model, history, compactRevision);
  const counts = extendModel(model, leases, journal, history, compactRevision);
  if (model.revision !== revision)
    throw new WrongData(`the store is at ${revision}, its history at ${model.revision}`);
  checkShown(model, journal);

  checkRows(`now, revision ${revision}`, await api.all(revision), model.rowsAt(revision));
  for (let i = 0; i < 2 && revision > Math.max(compactRevision, 2); i++) {
    const past = Math.max(compactRevision, 2) + known.random.below(revision - Math.max(compactRevision, 2));
    checkRows(`at revision ${past}`, await api.all(past), model.rowsAt(past));
  }
  await checkLeases(known);
  const hash = await checkHash(known, revision, compactRevision);
  model.compact(compactRevision);
  return { revision, compactRevision, acknowledged: journal.acknowledged.length, hash, ...counts };
}

/** What was wrong, with all that is known of its key: whether a change is missing, was made twice, or was not read. */
async function withHistory(
  api: Api,
  revision: number,
  journal: Journal,
  wrong: WrongData,
): Promise<WrongData> {
  const { key } = wrong;
  if (key === undefined) return wrong;
  const ofKey = (changes: readonly Change[]) => changes.filter((change) => change.key === key);
  const { compactRevision, history } = await readHistory(api, revision);
  const lines = [
    wrong.message,
    `the history of ${key} behind ${compactRevision}, and what was acknowledged:`,
  ];
  for (const [i, changes] of history.entries()) {
    const at = Math.max(compactRevision, 1) + 1 + i;
    for (const change of ofKey(changes)) lines.push(`  ${at} ${show(change)}`);
  }
  for (const operation of journal.acknowledged) {
    if (ofKey(operation.changes).length > 0) lines.push(`  said ${show(operation)}`);
  }
  lines.push(`compactions asked to ${journal.compactionAsked}, done to ${journal.compactedTo}`);
  return new WrongData(lines.join("\n"), key);
}

/** All there is behind the compacted revision, as changes by revision. */
export async function readHistory(
  api: Api,
  revision: number,
): Promise<{ compactRevision: number; history: Change[][] }> {
  const compactRevision = Math.max(0, (await api.hash(revision)).compactRevision);
  const from = Math.max(compactRevision, 1) + 1;
  const events: Event[] = [];
  if (from <= revision) {
    await new Promise<void>((resolve, reject) => {
      const onEvents = (more: Event[]) => {
        events.push(...more.filter((event) => event.revision <= revision));
        if ((more.at(-1)?.revision ?? 0) < revision) return;
        resolve();
        call.cancel();
      };
      const onCompacted = (to: number) => {
        reject(
          new WrongData(`the history from ${from} is compacted to ${to}, HashKV says ${compactRevision}`),
        );
        call.cancel();
      };
      const call = api.watch(from, onEvents, onCompacted);
      withTimeout(call.ended, 60_000, `the history from ${from} to ${revision}`).catch(reject);
    });
  }
  return { compactRevision, history: byRevision(events, from) };
}

/** What is compacted cannot be read. */
async function checkCompacted(api: Api, compactRevision: number): Promise<void> {
  if (compactRevision < 2) return;
  const rows = await api.all(compactRevision - 1).catch((error) => {
    if (error instanceof GrpcError && /has been compacted/.test(error.message)) return undefined;
    throw error;
  });
  if (rows)
    throw new WrongData(`revision ${compactRevision - 1} can be read, compacted is ${compactRevision}`);
}

function checkCompaction(journal: Journal, before: Findings | undefined, found: number): void {
  const least = Math.max(journal.compactedTo, before?.compactRevision ?? 0);
  const most = Math.max(journal.compactionAsked, least);
  if (found < least || found > most) {
    throw new WrongData(`compacted to ${found}: acknowledged was ${least}, asked for ${most}`);
  }
}

/** No revision that was checked before may be something else now. */
function checkOldHistory(model: Model, history: readonly Change[][], compactRevision: number): void {
  const first = Math.max(compactRevision, 1) + 1;
  for (let revision = first; revision <= model.revision; revision++) {
    const found = history[revision - first];
    if (!found || !sameChanges(found, model.at(revision))) {
      throw new WrongData(`revision ${revision} was ${show(model.at(revision))} and is ${show(found)}`);
    }
  }
}

/** Explains each new revision by an operation or by the end of a lease, and adds it to the model. */
function extendModel(
  model: Model,
  leases: LeaseBook,
  journal: Journal,
  history: readonly Change[][],
  compactRevision: number,
): { openDone: number; leaseEnds: number } {
  const first = Math.max(compactRevision, 1) + 1;
  const acknowledged = acknowledgedByRevision(journal, model.revision);
  const counts = { openDone: 0, leaseEnds: 0 };
  if (first > model.revision + 1) throw new Error("compacted further than what was checked");
  for (let revision = model.revision + 1; revision - first < history.length; revision++) {
    const changes = history[revision - first] as Change[];
    const operation = acknowledged.get(revision);
    acknowledged.delete(revision);
    if (operation) {
      if (!sameChanges(changes, operation.changes)) {
        throw new WrongData(
          `revision ${revision} is ${show(changes)}, acknowledged was ${show(operation.changes)}`,
        );
      }
    } else if (takeOpen(journal, changes)) counts.openDone++;
    else if (isEndOfLease(model, leases, changes)) counts.leaseEnds++;
    else throw new WrongData(`revision ${revision} is of nobody: ${show(changes)}`);
    model.append(changes);
  }
  for (const [revision, { changes }] of acknowledged) {
    throw new WrongData(`revision ${revision} is lost, the store is at ${model.revision}: ${show(changes)}`);
  }
  return counts;
}

function acknowledgedByRevision(journal: Journal, newest: number): Map<number, Operation> {
  const found = new Map<number, Operation>();
  for (const operation of journal.acknowledged) {
    const revision = operation.revision as number;
    if (revision <= newest)
      throw new WrongData(`revision ${revision} was given out, but ${newest} was there before`);
    if (found.has(revision)) throw new WrongData(`revision ${revision} was given to two operations`);
    found.set(revision, operation);
  }
  return found;
}

function takeOpen(journal: Journal, changes: readonly Change[]): boolean {
  for (const operation of journal.open) {
    if (sameChanges(changes, operation.changes)) return journal.open.delete(operation);
  }
  return false;
}

/** True if that is the deletion of all the keys of one lease. Throws if its time had not come. */
function isEndOfLease(model: Model, leases: LeaseBook, changes: readonly Change[]): boolean {
  const lease = model.row(changes[0]?.key ?? "")?.lease ?? 0n;
  if (lease === 0n || changes.some((change) => change.value !== undefined)) return false;
  const found = changes.map((change) => change.key).sort();
  const wanted = model.keysOf(lease);
  if (found.join() !== wanted.join()) {
    throw new WrongData(`lease ${lease} ended with ${show(found)} and had ${show(wanted)}`);
  }
  leases.gone(lease);
  return true;
}

/** What watchers and readers were shown must be in the history. */
function checkShown(model: Model, journal: Journal): void {
  for (const event of journal.watched) {
    const { revision } = event;
    if (model.has(revision) && model.at(revision).some((change) => sameChanges([change], [event]))) continue;
    throw new WrongData(`a watcher was shown ${show(event)}, which is not there`);
  }
  for (const { key, value, modRevision } of journal.read) {
    if (model.hadRow(key, value, modRevision)) continue;
    throw new WrongData(`a reader was shown ${key} = ${show(value)} of ${modRevision}, which is not there`);
  }
}

async function checkLeases({ api, model, leases }: Known): Promise<void> {
  const listed = new Set(await api.leases());
  for (const id of listed) {
    if (!leases.has(id)) throw new WrongData(`lease ${id} is there, and nobody asked for it or it was gone`);
  }
  for (const id of leases.ids()) {
    if (!listed.has(id)) {
      leases.gone(id);
      leases.forget(id);
      continue;
    }
    const { ttl, keys } = await api.timeToLive(id);
    leases.told(id, ttl);
    const wanted = model.keysOf(id);
    // Since the history was read it may have ended, and its keys with it.
    if (keys.join() === wanted.join() || (ttl < 0 && keys.length === 0)) continue;
    throw new WrongData(`lease ${id} has ${show(keys)}, should have ${show(wanted)}`);
  }
}

/** The hash of the last check's revision must not have changed, unless there was a compaction since. */
async function checkHash({ api, before }: Known, revision: number, compactRevision: number): Promise<number> {
  if (before && before.revision >= compactRevision && before.compactRevision === compactRevision) {
    const { hash } = await api.hash(before.revision);
    if (hash !== before.hash) throw new WrongData(`the hash of revision ${before.revision} has changed`);
  }
  return (await api.hash(revision)).hash;
}
