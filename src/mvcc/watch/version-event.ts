/** A version as an event. Everything about it is worked out when it is first asked for, and then once for all. */
import type { Version } from "../../backend/backend.ts";
import type { KeyValue } from "../../codec/kv.ts";
import { encodeWatchEvent } from "../../codec/watch.ts";
import type { Revision } from "../../lib/ids.ts";
import { keyBytesOf, OverlayVersion, toKeyValue } from "../overlay/generation.ts";
import type { StoreEvent } from "../types.ts";
import type { WatchSource } from "./types.ts";

export class VersionEvent implements StoreEvent {
  readonly kind: "put" | "delete";
  readonly #version: Version;
  readonly #source: Pick<WatchSource, "keyValueAt">;
  #kv: KeyValue | undefined;
  #prevKv: KeyValue | undefined;
  #prevKvKnown = false;
  #bytes: Uint8Array | undefined;
  #bytesWithPrevKv: Uint8Array | undefined;

  constructor(version: Version, source: Pick<WatchSource, "keyValueAt">) {
    this.kind = version.version === 0 ? "delete" : "put";
    this.#version = version;
    this.#source = source;
  }

  get modRevision(): Revision {
    return this.#version.modRevision;
  }

  get binaryKey(): string {
    return this.#version.key;
  }

  get kv(): KeyValue {
    this.#kv ??= toKeyValue(this.#version, keyBytesOf(this.#version));
    return this.#kv;
  }

  get prevKv(): KeyValue | undefined {
    if (!this.#prevKvKnown) {
      this.#prevKv = this.#lookUpPrevious();
      this.#prevKvKnown = true;
    }
    return this.#prevKv;
  }

  bytes(withPrevKv: boolean): Uint8Array {
    const { kind, kv } = this;
    if (withPrevKv && this.prevKv !== undefined) {
      this.#bytesWithPrevKv ??= encodeWatchEvent({ kind, kv, prevKv: this.prevKv });
      return this.#bytesWithPrevKv;
    }
    this.#bytes ??= encodeWatchEvent({ kind, kv, prevKv: undefined });
    return this.#bytes;
  }

  /** At the revision before, not before the change: of what came earlier in the same transaction etcd tells nothing. */
  #lookUpPrevious(): KeyValue | undefined {
    const version = this.#version;
    if (version.version !== 0 && version.createRevision === version.modRevision) return undefined;
    if (version instanceof OverlayVersion) {
      let older = version.older;
      while (older !== undefined && older.modRevision === version.modRevision) older = older.older;
      if (older !== undefined) return older.version === 0 ? undefined : toKeyValue(older, older.keyBytes);
    }
    return this.#source.keyValueAt(version.key, (version.modRevision - 1) as Revision);
  }
}
