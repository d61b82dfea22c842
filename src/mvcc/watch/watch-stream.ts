/** The watchers of one client stream. */
import type { KeySpan } from "../../backend/backend.ts";
import { errors } from "../../errors/table.ts";
import { toBinaryKey } from "../../lib/binary-key.ts";
import type { Revision } from "../../lib/ids.ts";
import { spanOf } from "../read/read-view.ts";
import type { WatchCreated, WatchOptions, WatchSink } from "./types.ts";
import { noWatchId } from "./types.ts";
import type { WatcherStream } from "./watcher.ts";
import { Watcher } from "./watcher.ts";

/** The smallest key: what an empty one means to a watch. */
const firstKey = "\0";

/** What a stream needs of the hub. */
export interface StreamOwner {
  /** The store's revision. */
  readonly revision: Revision;
  start(watcher: Watcher): void;
  end(watcher: Watcher): void;
  /** The stream is not full any more. */
  resume(stream: WatchStream): void;
  /** Calls the stream's `sendProgress` when that is possible, at once if it is now. */
  tellProgress(stream: WatchStream): void;
  forget(stream: WatchStream): void;
}

export class WatchStream implements WatcherStream {
  readonly sink: WatchSink;
  readonly #hub: StreamOwner;
  readonly #watchers = new Map<bigint, Watcher>();
  #nextId = 0n;
  #closed = false;
  full = false;
  readonly lagging = new Set<Watcher>();
  notSynced = 0;
  progressWanted = false;
  tickWanted = false;

  constructor(hub: StreamOwner, sink: WatchSink) {
    this.#hub = hub;
    this.sink = sink;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Watchers, those included that ended by compaction and were not cancelled by the client. */
  get size(): number {
    return this.#watchers.size;
  }

  /** Adds a watcher. Its events come later, out of `WatchHub.deliver`: the client can be told its id first. */
  create(options: WatchOptions): WatchCreated {
    if (this.#closed) throw new Error("mvcc: the watch stream is closed");
    if ((options.startRevision ?? 0) < 0) return { refused: errors.compacted.text };
    const key = toBinaryKey(options.key);
    const span = watchedSpan(key, options.rangeEnd);
    if (span === undefined) return { refused: errors.emptyWatcherRange.text };
    const wanted = options.watchId ?? 0n;
    if (wanted !== 0n && this.#watchers.has(wanted)) return { refused: errors.watcherDuplicateId.text };
    const id = wanted === 0n ? this.#chooseId() : wanted;
    const watcher = new Watcher(this, id, span, options);
    this.#watchers.set(id, watcher);
    this.#hub.start(watcher);
    return { id };
  }

  /** False when there is no such watcher (then etcd does not answer). A watcher that ended by compaction still counts
   * until its client cancels it. */
  cancel(id: bigint): boolean {
    const watcher = this.#watchers.get(id);
    if (watcher === undefined) return false;
    this.#watchers.delete(id);
    this.#hub.end(watcher);
    return true;
  }

  /**
   * A manual progress request. Answered, with the watch id -1, once all watchers of the stream are synced: at once if
   * they are now. A stream without watchers, or with one that waits for a revision to come, gets no answer, as in etcd.
   */
  requestProgress(): void {
    this.progressWanted = true;
    this.#hub.tellProgress(this);
  }

  /** To be called at every progress notify interval: tells those watchers that want to be told, are synced and had no
   * events since the last call. */
  tick(): void {
    this.tickWanted = true;
    this.#hub.tellProgress(this);
  }

  /** The sink can take more again. */
  drained(): void {
    if (!this.full || this.#closed) return;
    this.full = false;
    this.#hub.resume(this);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const watcher of this.#watchers.values()) this.#hub.end(watcher);
    this.#watchers.clear();
    this.#hub.forget(this);
  }

  sendProgress(): void {
    const { revision } = this.#hub;
    if (this.tickWanted) {
      this.tickWanted = false;
      for (const watcher of this.#watchers.values()) this.#tellOne(watcher);
    }
    if (!this.progressWanted || this.notSynced > 0) return;
    this.progressWanted = false;
    let live = 0;
    for (const watcher of this.#watchers.values()) {
      if (watcher.state === "ended") continue;
      if (watcher.startRevision > revision) return;
      live++;
    }
    if (live > 0 && !this.sink.progress(noWatchId, revision)) this.full = true;
  }

  #tellOne(watcher: Watcher): void {
    if (!watcher.progressNotify) return;
    const due = !watcher.sentSinceTick;
    watcher.sentSinceTick = false;
    const { revision } = this.#hub;
    if (!due || this.full || watcher.state !== "synced" || watcher.startRevision > revision) return;
    if (!this.sink.progress(watcher.id, revision)) this.full = true;
  }

  #chooseId(): bigint {
    while (this.#watchers.has(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }
}

/** Undefined for a range in which there can be no key. */
function watchedSpan(key: string, rangeEndBytes: Uint8Array | undefined): KeySpan | undefined {
  const rangeEnd = rangeEndBytes === undefined ? "" : toBinaryKey(rangeEndBytes);
  const from = key === "" ? firstKey : key;
  if (rangeEnd !== "" && rangeEnd !== "\0" && rangeEnd <= from) return undefined;
  return spanOf(from, rangeEnd);
}
