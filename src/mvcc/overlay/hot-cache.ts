/**
 * Newest versions of keys that are read often and lie in the backend, so that a hot get is a Map look-up and not a
 * query. Bounded in bytes; a key without any version is remembered too, as that is a query like any other.
 *
 * Never holds a key that is in the overlay (the store removes it when the key enters): so what it holds stays true
 * whichever generation reaches the backend meanwhile.
 */
import type { BinaryKey, Version } from "../../backend/backend.ts";

/** Default limit in bytes. */
export const hotCacheBytesDefault = 4 * 1024 * 1024;
/** What an entry costs beside key and value. */
const entryOverheadBytes = 160;

interface Entry {
  /** Undefined: the backend has no version of the key. */
  readonly version: Version | undefined;
  readonly bytes: number;
  /** Read since it came in, or since it was last spared. */
  used: boolean;
}

export class HotCache {
  readonly #limitBytes: number;
  readonly #entries = new Map<BinaryKey, Entry>();
  #bytes = 0;

  constructor(limitBytes: number = hotCacheBytesDefault) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Undefined when the cache does not know; otherwise an entry whose `version` may be undefined. */
  get(key: BinaryKey): { readonly version: Version | undefined } | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.used = true;
    return entry;
  }

  set(key: BinaryKey, version: Version | undefined): void {
    const bytes = entryOverheadBytes + key.length + (version?.value.length ?? 0);
    // One value must not push out all the others.
    if (bytes > this.#limitBytes / 4) return;
    this.delete(key);
    this.#entries.set(key, { version, bytes, used: false });
    this.#bytes += bytes;
    if (this.#bytes > this.#limitBytes) this.#evict();
  }

  delete(key: BinaryKey): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }

  /** The oldest go first, but those that were read are spared once (second chance): nearly as good as strict LRU, and
   * a hit writes one flag instead of moving an entry. */
  #evict(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes <= this.#limitBytes) return;
      this.#entries.delete(key);
      if (entry.used) {
        entry.used = false;
        this.#entries.set(key, entry);
      } else {
        this.#bytes -= entry.bytes;
      }
    }
  }
}
