/**
 * Concurrent load of which everything is recorded. Each worker has keys of its own and one operation under way at a
 * time, so what it knows of its keys is exact as long as the server answers.
 */
import { deadlineExceeded, GrpcError, unavailable } from "../support/grpc-client.ts";
import type { Random } from "../support/random.ts";
import type { Api, Change, Event } from "./api.ts";
import type { LeaseBook } from "./lease-book.ts";
import { type Model, show, WrongData } from "./model.ts";

export interface Operation {
  readonly changes: readonly Change[];
  /** The revision that the server gave it; undefined while its outcome is open. */
  revision: number | undefined;
}

/** What happened between two checks. */
export class Journal {
  readonly acknowledged: Operation[] = [];
  readonly open = new Set<Operation>();
  readonly watched: Event[] = [];
  /** Rows that readers were shown: key, value and revision. */
  readonly read: { key: string; value: string; modRevision: number }[] = [];
  compactedTo = 0;
  compactionAsked = 0;
  /** Calls that a server gave up answering, though nobody had ended it. */
  timeouts = 0;
  /** The first thing that was wrong already during the load. */
  wrong: WrongData | undefined;
}

export interface Load {
  readonly apis: readonly Api[];
  readonly model: Model;
  readonly leases: LeaseBook;
  readonly journal: Journal;
  readonly random: Random;
  readonly workers: number;
  /** Names the part of the run: values are made from it, so that none is used twice. */
  readonly round: string;
  /** Set to end the load in order: workers finish what they do. */
  readonly stopping: { now: boolean };
  /** Whether the server is being ended. As long as it is not, every call has to be answered. */
  readonly isEnding: () => boolean;
}

/** Starts all workers. Resolves when each has ended: by an error of the connection, or because of `stopping`. */
export async function runLoad(load: Load): Promise<void> {
  const watchFrom = load.model.revision + 1;
  const watch = load.apis[0]?.watch(watchFrom, (events) => load.journal.watched.push(...events));
  const workers = Array.from({ length: load.workers }, (_, i) => new Worker(load, i));
  const owners = [0, 1, 2].map((index) => () => leaseOwner(load, index));
  const bodies = [...workers.map((worker) => () => worker.run()), ...owners, () => compactor(load)];
  await Promise.all(bodies.map((body) => guarded(load, body)));
  watch?.cancel();
}

const keysOfWorker = 40;

/**
 * Ends quietly when the connection breaks with the server, and when a disk that stalls leaves a call unanswered; anything
 * wrong goes to the journal.
 */
async function guarded({ journal, isEnding }: Load, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (isOpen(error) && isEnding()) return;
    if (isTimeout(error)) {
      journal.timeouts++;
      return;
    }
    journal.wrong ??= error instanceof WrongData ? error : new WrongData(String((error as Error).stack));
  }
}

/** Errors after which it is not known whether the call was done. */
function isOpen(error: unknown): boolean {
  return error instanceof GrpcError && (error.code === unavailable || error.code === deadlineExceeded);
}

/** The server's own, or that of the client. */
function isTimeout(error: unknown): boolean {
  if (!(error instanceof GrpcError)) return false;
  return error.code === deadlineExceeded || error.message === "etcdserver: request timed out";
}

/**
 * Waits until all that the server was asked for is done or never will be: what it gave up answering may still be on its
 * way to the log. A change that is acknowledged came after it.
 */
export async function settle(api: Api, journal: Journal, round: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const changes = [{ key: "settled", value: `${round}.${attempt}`, lease: 0n }];
    try {
      await perform(journal, changes, () => api.change(changes));
      return;
    } catch (error) {
      if (!isTimeout(error) || attempt === 10) throw error;
    }
  }
}

class Worker {
  readonly #load: Load;
  readonly #api: Api;
  readonly #name: string;
  readonly #random: Random;
  /** What this worker's keys hold. */
  readonly #values = new Map<string, string>();
  /** At which revision this worker changed a key last, for the report. */
  readonly #changedAt = new Map<string, number>();
  #count = 0;

  constructor(load: Load, index: number) {
    this.#load = load;
    this.#api = load.apis[index % load.apis.length] as Api;
    this.#name = `w${String(index).padStart(3, "0")}/`;
    this.#random = load.random;
    for (let i = 0; i < keysOfWorker; i++) {
      const key = this.#key(i);
      const row = load.model.row(key);
      if (row) this.#values.set(key, row.value);
    }
  }

  async run(): Promise<void> {
    while (!this.#load.stopping.now) await this.#step();
  }

  #key(index: number): string {
    return `${this.#name}${String(index).padStart(2, "0")}`;
  }

  #anyKey(): string {
    return this.#key(this.#random.below(keysOfWorker));
  }

  #value(): string {
    const size = this.#random.chance(0.02) ? 20_000 + this.#random.below(60_000) : this.#random.below(300);
    return `${this.#load.round}.${this.#name}${this.#count++}:`.padEnd(size, "abcdefgh\0\0\0\0\0\0\0\0");
  }

  async #step(): Promise<void> {
    const choice = this.#random.below(100);
    if (choice < 60) return this.#change([this.#put(this.#anyKey())]);
    if (choice < 72) return this.#several();
    if (choice < 82) return this.#delete(this.#anyKey());
    if (choice < 84) return this.#deleteAll();
    return this.#read(this.#anyKey());
  }

  #put(key: string): Change {
    return { key, value: this.#value(), lease: 0n };
  }

  async #several(): Promise<void> {
    const keys = new Set(Array.from({ length: 2 + this.#random.below(8) }, () => this.#anyKey()));
    const changes = [...keys].map((key) =>
      this.#values.has(key) && this.#random.chance(0.3)
        ? { key, value: undefined, lease: 0n }
        : this.#put(key),
    );
    // Deletes alone could be told from those of nobody else, but not from each other's.
    if (changes.every((change) => change.value === undefined)) return;
    await this.#change(changes);
  }

  async #delete(key: string): Promise<void> {
    if (this.#values.has(key)) await this.#change([{ key, value: undefined, lease: 0n }]);
  }

  async #deleteAll(): Promise<void> {
    const keys = [...this.#values.keys()].sort();
    if (keys.length === 0) return;
    const changes = keys.map((key) => ({ key, value: undefined, lease: 0n }));
    await this.#do(changes, async () => {
      const { revision, deleted } = await this.#api.deletePrefix(this.#name);
      if (deleted !== keys.length)
        throw new WrongData(`${deleted} keys deleted of ${keys.length}: ${this.#name}`);
      return revision;
    });
  }

  #change(changes: readonly Change[]): Promise<void> {
    return this.#do(changes, () => this.#api.change(changes));
  }

  async #do(changes: readonly Change[], call: () => Promise<number>): Promise<void> {
    const revision = await perform(this.#load.journal, changes, call);
    for (const { key, value } of changes) {
      this.#changedAt.set(key, revision);
      if (value === undefined) this.#values.delete(key);
      else this.#values.set(key, value);
    }
  }

  async #read(key: string): Promise<void> {
    const row = await this.#api.get(key);
    if (row?.value !== this.#values.get(key)) {
      // Whether it is the read that is wrong, or what was written.
      const again = show(await this.#api.get(key).catch(String));
      const changed = `changed last at ${this.#changedAt.get(key) ?? "a revision of an earlier load"}`;
      const want = `want ${show(this.#values.get(key))} at ${key}`;
      throw new WrongData(
        `round ${this.#load.round}: read ${show(row)}, ${want}, ${changed}; read again: ${again}`,
        key,
      );
    }
    if (row) this.#load.journal.read.push({ key, value: row.value, modRevision: row.modRevision });
  }
}

/** Records an operation before and after it, and gives its revision. */
async function perform(
  journal: Journal,
  changes: readonly Change[],
  call: () => Promise<number>,
): Promise<number> {
  const operation: Operation = { changes, revision: undefined };
  journal.open.add(operation);
  let revision: number;
  try {
    revision = await call();
  } catch (error) {
    if (!isOpen(error)) journal.open.delete(operation); // refused: it must not be found
    throw error;
  }
  operation.revision = revision;
  journal.open.delete(operation);
  journal.acknowledged.push(operation);
  return revision;
}

/** Grants leases, attaches keys, renews some, revokes some and forgets the others. */
async function leaseOwner(load: Load, index: number): Promise<void> {
  const { apis, journal, leases, random, round, stopping } = load;
  const api = apis.at(-1) as Api;
  let count = 0;
  const mine: bigint[] = [];
  while (!stopping.now) {
    const id = BigInt(1 + random.below(2 ** 31)) * 1000n + BigInt(index);
    const ttl = random.chance(0.6) ? 2 + random.below(4) : 10 + random.below(20);
    leases.granting(id, ttl);
    const sentAt = performance.now();
    await api.grant(id, ttl);
    leases.promised(id, sentAt);
    mine.push(id);
    for (let i = random.below(4); i > 0; i--) {
      const key = `l${index}/${String(random.below(30)).padStart(2, "0")}`;
      const changes = [{ key, value: `${round}.l${index}.${count++}:`, lease: id }];
      await attach(journal, leases, id, changes, api);
    }
    const other = random.pick(mine);
    if (random.chance(0.3)) await renew(api, leases, other);
    if (random.chance(0.15)) await revoke(api, leases, other);
    await new Promise((resolve) => setTimeout(resolve, random.below(60)));
  }
}

const leaseNotFound = (error: unknown): boolean => error instanceof GrpcError && error.code === 5;

async function attach(
  journal: Journal,
  leases: LeaseBook,
  id: bigint,
  changes: readonly Change[],
  api: Api,
): Promise<void> {
  try {
    await perform(journal, changes, () => api.change(changes));
  } catch (error) {
    if (!leaseNotFound(error)) throw error;
    leases.gone(id);
  }
}

async function renew(api: Api, leases: LeaseBook, id: bigint): Promise<void> {
  const sentAt = performance.now();
  leases.mayBeRenewed(id);
  const ttl = await api.keepAlive(id);
  if (ttl > 0) leases.promised(id, sentAt);
  else leases.gone(id);
}

async function revoke(api: Api, leases: LeaseBook, id: bigint): Promise<void> {
  leases.revoking(id, "asked");
  await api.revoke(id).catch((error) => {
    if (!leaseNotFound(error)) throw error;
  });
  leases.revoking(id, "done");
}

/** Compacts and defragments now and then. */
async function compactor({ apis, journal, model, random, stopping }: Load): Promise<void> {
  const api = apis[0] as Api;
  while (!stopping.now) {
    await new Promise((resolve) => setTimeout(resolve, 30 + random.below(400)));
    try {
      if (random.chance(0.1)) await api.defragment();
      const target = model.revision - random.below(2000);
      if (target <= journal.compactionAsked || target < 2 || random.chance(0.5)) continue;
      journal.compactionAsked = target;
      await api.compact(target);
      journal.compactedTo = target;
    } catch (error) {
      if (!String(error).includes("has been compacted")) throw error;
    }
  }
}
