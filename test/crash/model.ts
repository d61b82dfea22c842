/** What the server must hold: the history of all keys by revision, and the states that follow from it. */
import type { Change, Event, Row } from "./api.ts";

/** Something that the server showed and that cannot be. */
export class WrongData extends Error {
  /** The key that it is about, if it is one. */
  readonly key: string | undefined;

  constructor(message: string, key?: string) {
    super(message);
    this.name = "WrongData";
    this.key = key;
  }
}

/** The first revision of a store is 1 and has no changes. */
export class Model {
  /** Where the history that is kept begins: nothing is known of what was before, but for the rows at that point. */
  #base = 1;
  #baseRows: ReadonlyMap<string, Row> = new Map();
  /** The changes of the revisions behind the base. */
  #history: (readonly Change[])[] = [];
  readonly #rows = new Map<string, Row>();

  /** The newest revision. */
  get revision(): number {
    return this.#base + this.#history.length;
  }

  at(revision: number): readonly Change[] {
    const changes = this.#history[revision - this.#base - 1];
    if (!changes) throw new Error(`the model has no revision ${revision}`);
    return changes;
  }

  /** True if its changes are kept. */
  has(revision: number): boolean {
    return revision > this.#base && revision <= this.revision;
  }

  /** True if that row was put at its revision; also for a revision whose changes are no longer kept. */
  hadRow(key: string, value: string, modRevision: number): boolean {
    if (modRevision > this.revision) return false;
    if (modRevision <= this.#base) return true;
    return this.at(modRevision).some((change) => change.key === key && change.value === value);
  }

  row(key: string): Row | undefined {
    return this.#rows.get(key);
  }

  /** Adds the next revision. */
  append(changes: readonly Change[]): void {
    this.#history.push(changes);
    for (const change of changes) apply(this.#rows, change, this.revision);
  }

  /** All rows at a revision, in key order. */
  rowsAt(revision: number): Row[] {
    return sorted(revision === this.revision ? this.#rows : this.#replay(revision));
  }

  #replay(revision: number): Map<string, Row> {
    const rows = new Map(this.#baseRows);
    for (let at = this.#base + 1; at <= revision; at++) {
      for (const change of this.at(at)) apply(rows, change, at);
    }
    return rows;
  }

  /** Forgets the history up to a revision, which stays as a state. */
  compact(revision: number): void {
    if (revision <= this.#base) return;
    this.#baseRows = this.#replay(revision);
    this.#history = this.#history.slice(revision - this.#base);
    this.#base = revision;
  }

  /** The keys that hang on a lease now, in order. */
  keysOf(lease: bigint): string[] {
    return [...this.#rows.values()]
      .filter((row) => row.lease === lease)
      .map((row) => row.key)
      .sort();
  }
}

function apply(rows: Map<string, Row>, change: Change, revision: number): void {
  if (change.value === undefined) {
    rows.delete(change.key);
    return;
  }
  const old = rows.get(change.key);
  rows.set(change.key, {
    key: change.key,
    value: change.value,
    createRevision: old?.createRevision ?? revision,
    modRevision: revision,
    version: (old?.version ?? 0) + 1,
    lease: change.lease,
  });
}

/** Keys here are ASCII, so that the order of strings is the order of bytes. */
function sorted(rows: ReadonlyMap<string, Row>): Row[] {
  return [...rows.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Events, in the order a watch gave them, by revision. Throws unless they begin at `from` and leave none out. */
export function byRevision(events: readonly Event[], from: number): Change[][] {
  const revisions: Change[][] = [];
  for (const event of events) {
    const index = event.revision - from;
    if (index === revisions.length) revisions.push([]);
    else if (index !== revisions.length - 1) {
      throw new WrongData(`revision ${event.revision} comes after ${from + revisions.length - 1}`);
    }
    revisions[index]?.push({ key: event.key, value: event.value, lease: event.lease });
  }
  return revisions;
}

export function sameChanges(a: readonly Change[], b: readonly Change[]): boolean {
  return (
    a.length === b.length &&
    a.every((change, i) => {
      const other = b[i];
      // A delete says nothing of a lease.
      const lease = change.value === undefined || change.lease === other?.lease;
      return change.key === other?.key && change.value === other.value && lease;
    })
  );
}

/** Throws at the first row that differs. */
export function checkRows(what: string, found: readonly Row[], wanted: readonly Row[]): void {
  for (let i = 0; i < Math.max(found.length, wanted.length); i++) {
    const [a, b] = [found[i], wanted[i]];
    const same =
      a?.key === b?.key &&
      a?.value === b?.value &&
      a?.createRevision === b?.createRevision &&
      a?.modRevision === b?.modRevision &&
      a?.version === b?.version &&
      a?.lease === b?.lease;
    if (!same) throw new WrongData(`${what}: found ${show(a)}, want ${show(b)}`);
  }
}

export function show(value: unknown): string {
  const plain = (_: string, part: unknown) => {
    if (typeof part === "bigint") return part.toString();
    return typeof part === "string" && part.length > 60 ? `${part.slice(0, 60)}...(${part.length})` : part;
  };
  return JSON.stringify(value, plain) ?? "nothing";
}
