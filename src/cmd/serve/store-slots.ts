/**
 * The stores of a data folder: one in `store`, and while a leader's snapshot takes its place another in `store.2`; then the
 * names change parts. A store that is being filled has a file beside it until it is complete.
 */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Backend } from "../../backend/backend.ts";
import { nodeDisk } from "../../runtime/disk.ts";
import { exists } from "../../runtime/exists.ts";
import type { StoreSlots } from "../../server/snapshot/store-slots.ts";

const names = ["store", "store.2"] as const;
type Name = (typeof names)[number];

interface Slot {
  readonly name: Name;
  readonly backend: Backend;
}

/** `isFilling`: for a new one that is removed unless it is filled to its end, and read only after it was synced. */
export type OpenStore = (dir: string, isFilling: boolean) => Promise<Backend>;

/** Opens what is in `dir`. What was not filled to its end is removed. */
export async function openStoreSlots(dir: string, open: OpenStore): Promise<FileSlots> {
  const present: Name[] = [];
  for (const name of names) {
    if (await exists(unfinishedMark(dir, name))) await removeSlot(dir, name);
    else if (await exists(join(dir, name))) present.push(name);
  }
  if (present.length === 1 && present[0] === names[1]) {
    // Whoever looks for the store of a member that does not run finds it where it usually is.
    await nodeDisk.rename(join(dir, names[1]), join(dir, names[0]));
    await nodeDisk.syncDir(dir);
    present[0] = names[0];
  }
  const slots: Slot[] = [];
  try {
    for (const name of present.length > 0 ? present : [names[0]]) {
      slots.push({ name, backend: await open(join(dir, name), false) });
    }
  } catch (error) {
    await Promise.all(slots.map(({ backend }) => backend.close()));
    throw error;
  }
  // A leader's snapshot is always newer than what it replaces.
  slots.sort((a, b) => a.backend.position.appliedIndex - b.backend.position.appliedIndex);
  return new FileSlots(dir, open, slots[0]!, slots[1]);
}

export class FileSlots implements StoreSlots {
  readonly #dir: string;
  readonly #open: OpenStore;
  #current: Slot;
  #next: Slot | undefined;
  #complete: boolean;

  constructor(dir: string, open: OpenStore, current: Slot, next: Slot | undefined) {
    this.#dir = dir;
    this.#open = open;
    this.#current = current;
    this.#next = next;
    this.#complete = next !== undefined;
  }

  get current(): Backend {
    return this.#current.backend;
  }

  get next(): Backend | undefined {
    return this.#complete ? this.#next?.backend : undefined;
  }

  async makeNext(): Promise<Backend> {
    await this.dropNext();
    const name = this.#otherName;
    await writeFile(unfinishedMark(this.#dir, name), "");
    await nodeDisk.syncDir(this.#dir);
    const backend = await this.#open(join(this.#dir, name), true);
    this.#next = { name, backend };
    return backend;
  }

  async completeNext(): Promise<void> {
    await rm(unfinishedMark(this.#dir, this.#otherName), { force: true });
    await nodeDisk.syncDir(this.#dir);
    this.#complete = true;
  }

  async dropNext(): Promise<void> {
    const next = this.#next;
    this.#next = undefined;
    this.#complete = false;
    await next?.backend.close();
    await removeSlot(this.#dir, this.#otherName);
  }

  useNext(): Backend {
    const old = this.#current;
    if (this.#next === undefined || !this.#complete) throw new Error("there is no next store");
    this.#current = this.#next;
    this.#next = undefined;
    this.#complete = false;
    return old.backend;
  }

  removeOld(): Promise<void> {
    // A third store may be on its way already, in the place of the first.
    return this.#next === undefined ? removeSlot(this.#dir, this.#otherName) : Promise.resolve();
  }

  get #otherName(): Name {
    return this.#current.name === names[0] ? names[1] : names[0];
  }
}

const unfinishedMark = (dir: string, name: Name): string => join(dir, `${name}.unfinished`);

/** The mark goes last: what is left of a store by a crash in here is removed at the next start. */
async function removeSlot(dir: string, name: Name): Promise<void> {
  if (!(await exists(join(dir, name))) && !(await exists(unfinishedMark(dir, name)))) return;
  await writeFile(unfinishedMark(dir, name), "");
  await nodeDisk.syncDir(dir);
  await rm(join(dir, name), { recursive: true, force: true });
  await rm(unfinishedMark(dir, name), { force: true });
  await nodeDisk.syncDir(dir);
}
