/**
 * A store that outlives its process: one in memory, and beside it what a disk would have of it. A crash leaves everything
 * that was made durable, and of what was written after that any beginning.
 */
import type {
  Backend,
  BackendPosition,
  BinaryKey,
  CompactionPace,
  CompactionProgress,
  Generation,
  KeySpan,
  ScanOptions,
  ScanPart,
  ScanPartOptions,
  Version,
  VersionHead,
} from "../../../src/backend/backend.ts";
import { MemoryBackend } from "../../../src/backend/memory/memory-backend.ts";
import type { LeaseId, Revision } from "../../../src/lib/ids.ts";
import type { Prng } from "../../../src/lib/prng.ts";

type Written = { readonly generation: Generation } | { readonly compact: Revision };

/** What a disk has of a store. */
export interface StoreImage {
  /** In the order in which it was written. */
  readonly written: Written[];
  /** How much of it is surely there. */
  durableCount: number;
  /** Where that leaves the store. */
  durable: BackendPosition;
}

export function emptyImage(): StoreImage {
  return { written: [], durableCount: 0, durable: new MemoryBackend().position };
}

/** What a loss of power leaves of a store. */
export function imageAfterLoss(image: StoreImage, random: Prng): StoreImage {
  const { written, durableCount } = image;
  return {
    ...image,
    written: written.slice(0, durableCount + random.below(written.length - durableCount + 1)),
  };
}

/** The same store for the next process. */
export function imageAfterKill(image: StoreImage): StoreImage {
  return { ...image, written: [...image.written] };
}

/** How long things take: resolves after some time, never if the process dies before. */
export type Delay = (what: "write" | "sync" | "piece") => Promise<void>;

/** Opens what is in `image`; what is written goes into it. */
export async function openDurableStore(image: StoreImage, delay: Delay): Promise<DurableStore> {
  let opening = true;
  const inner = new MemoryBackend({ pause: () => (opening ? Promise.resolve() : delay("piece")) });
  for (const step of image.written) {
    if ("generation" in step) await inner.write(step.generation);
    else await inner.compact(step.compact);
  }
  opening = false;
  // A database that is opened has on disk what it shows.
  image.durableCount = image.written.length;
  image.durable = inner.position;
  return new DurableStore(image, inner, delay);
}

export class DurableStore implements Backend {
  readonly name = "simulated";
  readonly #image: StoreImage;
  readonly #inner: MemoryBackend;
  readonly #delay: Delay;
  #closed = false;
  /** Writes are done in the order of the calls. */
  #writes: Promise<void> = Promise.resolve();

  constructor(image: StoreImage, inner: MemoryBackend, delay: Delay) {
    this.#image = image;
    this.#inner = inner;
    this.#delay = delay;
  }

  get position(): BackendPosition {
    return this.#inner.position;
  }
  get durable(): BackendPosition {
    return this.#image.durable;
  }
  versionAt(key: BinaryKey, atRevision: Revision): Version | undefined {
    return this.#inner.versionAt(key, atRevision);
  }
  newestHead(key: BinaryKey): VersionHead | undefined {
    return this.#inner.newestHead(key);
  }
  scan(span: KeySpan, options: ScanOptions): Version[] {
    return this.#inner.scan(span, options);
  }
  scanPart(span: KeySpan, options: ScanPartOptions): ScanPart {
    return this.#inner.scanPart(span, options);
  }
  count(span: KeySpan, atRevision: Revision, limit: number): { count: number; next: BinaryKey | undefined } {
    return this.#inner.count(span, atRevision, limit);
  }
  history(after: { revision: Revision; sub: number }, limit: number, bytes: number): Version[] {
    return this.#inner.history(after, limit, bytes);
  }
  keysOfLease(lease: LeaseId, after: BinaryKey | undefined, limit: number): BinaryKey[] {
    return this.#inner.keysOfLease(lease, after, limit);
  }
  meta(bucket: string, after: BinaryKey | undefined, limit: number): { key: BinaryKey; value: Uint8Array }[] {
    return this.#inner.meta(bucket, after, limit);
  }

  write(generation: Generation): Promise<void> {
    this.#writes = this.#writes.then(() => this.#write(generation));
    return this.#writes;
  }

  async #write(generation: Generation): Promise<void> {
    await this.#delay("write");
    await this.#inner.write(generation);
    this.#image.written.push({ generation });
  }

  async sync(): Promise<void> {
    await this.#writes;
    const { length } = this.#image.written;
    const { position } = this.#inner;
    await this.#delay("sync");
    if (this.#image.durableCount >= length) return;
    this.#image.durableCount = length;
    this.#image.durable = position;
  }

  async compact(
    revision: Revision,
    signal?: { readonly aborted: boolean },
    pace?: CompactionPace,
  ): Promise<CompactionProgress> {
    const progress = await this.#inner.compact(revision, signal, pace);
    if (!signal?.aborted && !this.#closed) this.#image.written.push({ compact: revision });
    return progress;
  }

  defragment(): Promise<void> {
    return this.#inner.defragment();
  }
  sizes(): { totalBytes: number; inUseBytes: number } {
    return this.#inner.sizes();
  }
  async close(): Promise<void> {
    this.#closed = true;
    await this.#inner.close();
  }
}
