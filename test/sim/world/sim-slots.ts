/** Where a simulated member's stores are: as `cmd/serve/store-slots.ts` keeps them in folders, but in memory. */
import type { Backend } from "../../../src/backend/backend.ts";
import type { Prng } from "../../../src/lib/prng.ts";
import type { StoreSlots } from "../../../src/server/snapshot/store-slots.ts";
import {
  type Delay,
  type DurableStore,
  emptyImage,
  imageAfterKill,
  imageAfterLoss,
  openDurableStore,
  type StoreImage,
} from "./durable-store.ts";

/** The stores on a member's disk. */
export interface SlotImages {
  stores: StoreImage[];
  /** One that is being filled, and is not there after a crash. */
  unfinished: StoreImage | undefined;
}

export function emptySlots(): SlotImages {
  return { stores: [], unfinished: undefined };
}

export function slotsAfterLoss(images: SlotImages, random: Prng): SlotImages {
  return { stores: images.stores.map((image) => imageAfterLoss(image, random)), unfinished: undefined };
}

export function slotsAfterKill(images: SlotImages): SlotImages {
  return { stores: images.stores.map(imageAfterKill), unfinished: undefined };
}

interface Slot {
  readonly image: StoreImage;
  readonly store: DurableStore;
}

export async function openSlots(images: SlotImages, delay: Delay): Promise<SimSlots> {
  images.unfinished = undefined;
  if (images.stores.length === 0) images.stores.push(emptyImage());
  const slots: Slot[] = [];
  for (const image of images.stores) slots.push({ image, store: await openDurableStore(image, delay) });
  slots.sort((a, b) => a.store.position.appliedIndex - b.store.position.appliedIndex);
  return new SimSlots(images, delay, slots[0]!, slots[1]);
}

export class SimSlots implements StoreSlots {
  readonly #images: SlotImages;
  readonly #delay: Delay;
  #current: Slot;
  #next: Slot | undefined;
  #old: StoreImage | undefined;

  constructor(images: SlotImages, delay: Delay, current: Slot, next: Slot | undefined) {
    this.#images = images;
    this.#delay = delay;
    this.#current = current;
    this.#next = next;
  }

  get current(): Backend {
    return this.#current.store;
  }

  get next(): Backend | undefined {
    return this.#images.unfinished === undefined ? this.#next?.store : undefined;
  }

  async makeNext(): Promise<Backend> {
    await this.dropNext();
    const image = emptyImage();
    this.#images.unfinished = image;
    const store = await openDurableStore(image, this.#delay);
    this.#next = { image, store };
    return store;
  }

  async completeNext(): Promise<void> {
    await this.#delay("sync");
    this.#images.unfinished = undefined;
    this.#images.stores.push(this.#next!.image);
  }

  async dropNext(): Promise<void> {
    const next = this.#next;
    if (next === undefined) return;
    this.#next = undefined;
    this.#images.unfinished = undefined;
    await this.#delay("sync");
    this.#remove(next.image);
  }

  useNext(): Backend {
    const old = this.#current;
    if (this.#next === undefined) throw new Error("there is no next store");
    this.#current = this.#next;
    this.#next = undefined;
    this.#old = old.image;
    return old.store;
  }

  async removeOld(): Promise<void> {
    await this.#delay("sync");
    if (this.#old !== undefined) this.#remove(this.#old);
  }

  #remove(image: StoreImage): void {
    this.#images.stores = this.#images.stores.filter((other) => other !== image);
  }
}
