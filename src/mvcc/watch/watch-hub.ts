/**
 * All watchers of a store, and the delivery of events to them. Nothing is queued here: the store's history is the queue.
 * Synced watchers are those that have everything up to one common revision; the others read the history with the
 * catch-ups until they get there. DESIGN.md of `mvcc` has a picture.
 */
import type { Revision } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import type { ReadPin } from "../read/read-pins.ts";
import type { ChangeSlice } from "../types.ts";
import type { CatchUp } from "./catch-up.ts";
import { CatchUps } from "./catch-up.ts";
import { deliverSlice } from "./deliver-slice.ts";
import type { EventMaker, WatchSink, WatchSource } from "./types.ts";
import { VersionEvent } from "./version-event.ts";
import type { StreamOwner } from "./watch-stream.ts";
import { WatchStream } from "./watch-stream.ts";
import type { Watcher, WatcherStream } from "./watcher.ts";
import { WatcherIndex } from "./watcher-index.ts";

/** One slice of history: this many changes, or bytes of values, but at least one revision. */
const sliceRows = 512;
const sliceBytes = 256 * 1024;

export interface WatchCounts {
  readonly streams: number;
  readonly watchers: number;
  /** Of these, those that are not synced. */
  readonly slow: number;
  /** Events given to sinks since the start (etcd_debugging_mvcc_events_total). */
  readonly events: number;
}

export class WatchHub implements StreamOwner {
  #source: WatchSource;
  #pin: ReadPin;
  #makeEvent: EventMaker;
  /** Called when there is work for `deliver` that did not come from the store. Set by whoever drives it. */
  onWork: () => void = () => {};
  readonly #streams = new Set<WatchStream>();
  readonly #synced = new WatcherIndex();
  readonly #catchUps = new CatchUps();
  /** Streams with progress to tell. */
  readonly #tellers = new Set<WatcherStream>();
  /** Synced watchers have, or are being given, everything up to here. */
  #delivered: Revision;
  #delivering = false;
  /** The store that takes the place of `#source` as soon as a delivery lets it. */
  #successor: WatchSource | undefined;
  #lagging = 0;
  #events = 0;

  constructor(source: WatchSource) {
    this.#source = source;
    this.#delivered = source.revision;
    this.#pin = source.pins.hold(source.revision, true);
    this.#makeEvent = (version) => new VersionEvent(version, source);
  }

  /** Another store in the place of this one (a snapshot of the leader's was installed): all synced watchers read on in
   * its history. A delivery in progress goes on with the new store after the slice that it is at; until then the old one
   * has to be readable. */
  restore(source: WatchSource): void {
    if (this.#delivering) this.#successor = source;
    else this.#exchange(source);
  }

  #exchangeIfDue(): void {
    const source = this.#successor;
    this.#successor = undefined;
    if (source !== undefined) this.#exchange(source);
  }

  #exchange(source: WatchSource): void {
    this.#source.pins.release(this.#pin);
    this.#source = source;
    this.#makeEvent = (version) => new VersionEvent(version, source);
    this.#pin = source.pins.hold(source.revision, true);
    const moved: Watcher[] = [];
    for (const watcher of this.#synced.all()) {
      const next = (this.#delivered + 1) as Revision;
      if (watcher.minRevision < next) watcher.minRevision = next;
      if (watcher.minRevision > source.revision) continue;
      this.#leave(watcher);
      moved.push(watcher);
    }
    this.#delivered = source.revision;
    for (const watcher of moved) watcher.stream.notSynced++;
    this.#catchUps.addAll(moved);
    this.onWork();
  }

  openStream(sink: WatchSink): WatchStream {
    const stream = new WatchStream(this, sink);
    this.#streams.add(stream);
    return stream;
  }

  get counts(): WatchCounts {
    const slow = this.#catchUps.size + this.#lagging;
    return { streams: this.#streams.size, watchers: this.#synced.size + slow, slow, events: this.#events };
  }

  /** The store's revision. */
  get revision(): Revision {
    return this.#source.revision;
  }

  /** Whether `deliver` would do something. */
  get hasWork(): boolean {
    return this.#delivered < this.#source.revision || !this.#catchUps.isEmpty || this.#tellers.size > 0;
  }

  /**
   * Brings everybody as far as can be: events that were applied since the last call to synced watchers, history to the
   * others. To be called after entries were applied and after `onWork`; one at a time, driven to its end. Work that
   * comes up meanwhile is done too.
   */
  *deliver(): Steps<void> {
    if (this.#delivering) throw new Error("mvcc: watchers are being delivered to already");
    this.#delivering = true;
    try {
      for (;;) {
        this.#exchangeIfDue();
        yield* this.#deliverSynced();
        if (this.#successor !== undefined) continue;
        // Nothing is on its way to a synced watcher now, so no event can be overtaken.
        for (const stream of [...this.#tellers]) this.#tell(stream);
        const reader = this.#catchUps.next();
        if (reader === undefined) break;
        yield* this.#advance(reader);
        yield;
      }
    } finally {
      this.#delivering = false;
      this.#exchangeIfDue();
    }
  }

  *#deliverSynced(): Steps<void> {
    while (this.#delivered < this.#source.revision) {
      if (this.#successor !== undefined) return;
      if (this.#synced.size === 0) {
        this.#skipAhead();
      } else {
        const slice = yield* this.#source.changes(this.#delivered, sliceRows, sliceBytes);
        // From here on new watchers must want what comes after this slice.
        this.#delivered = slice.upTo;
        yield* this.#deliverTo(this.#synced, slice);
      }
      this.#pin.revision = this.#delivered;
    }
  }

  /** Without synced watchers there is nothing to deliver. */
  #skipAhead(): void {
    this.#delivered = this.#source.revision;
    this.#pin.revision = this.#delivered;
  }

  /** One slice for one reader, or its end: its watchers are as far as the synced ones and join them. */
  *#advance(reader: CatchUp): Steps<void> {
    if (this.#source.compactRevision > reader.position + 1) {
      yield* this.#endCompacted(reader);
      return;
    }
    if (reader.position >= this.#delivered) {
      yield* this.#join(reader);
      return;
    }
    const slice = yield* this.#source.changes(reader.position, sliceRows, sliceBytes);
    // A compaction during those steps may have taken some of the slice away.
    if (this.#source.compactRevision > reader.position + 1) return;
    reader.position = slice.upTo;
    yield* this.#deliverTo(reader.index, slice);
  }

  #deliverTo(index: WatcherIndex, slice: ChangeSlice): Steps<void> {
    return deliverSlice({
      index,
      slice,
      makeEvent: this.#makeEvent,
      fallBehind: (watcher) => this.#fallBehind(watcher),
      sent: (events) => {
        this.#events += events;
      },
    });
  }

  *#join(reader: CatchUp): Steps<void> {
    const next = (reader.position + 1) as Revision;
    let moved = 0;
    for (const watcher of reader.index.all()) {
      if (watcher.reader !== reader) continue;
      this.#catchUps.remove(watcher);
      if (watcher.minRevision < next) watcher.minRevision = next;
      watcher.stream.notSynced--;
      this.#enterSynced(watcher);
      this.#retell(watcher.stream);
      if (++moved % 1024 === 0) yield;
    }
  }

  /** The history before the compact revision is gone: who needs it is told so. */
  *#endCompacted(reader: CatchUp): Steps<void> {
    const { compactRevision } = this.#source;
    const next = (reader.position + 1) as Revision;
    reader.position = (compactRevision - 1) as Revision;
    let ended = 0;
    for (const watcher of reader.index.all()) {
      if (watcher.reader !== reader) continue;
      if (watcher.minRevision < next) watcher.minRevision = next;
      if (watcher.minRevision >= compactRevision) continue;
      if (watcher.stream.full) {
        this.#fallBehind(watcher);
        continue;
      }
      this.#catchUps.remove(watcher);
      this.#endWatcher(watcher);
      const { stream } = watcher;
      if (!stream.sink.compacted(watcher.id, compactRevision)) stream.full = true;
      if (++ended % 128 === 0) yield;
    }
  }

  // What streams tell the hub.

  start(watcher: Watcher): void {
    const { revision, compactRevision } = this.#source;
    if (watcher.startRevision === 0) watcher.minRevision = (revision + 1) as Revision;
    if (this.#synced.size === 0 && !this.#delivering) this.#skipAhead();
    // A revision that was applied and not yet delivered needs no history.
    const early = watcher.minRevision <= this.#delivered || watcher.minRevision < compactRevision;
    if (!early) {
      this.#enterSynced(watcher);
      return;
    }
    watcher.stream.notSynced++;
    this.#catchUps.add(watcher);
    this.onWork();
  }

  end(watcher: Watcher): void {
    if (watcher.state === "ended") return;
    if (watcher.state === "synced") this.#leave(watcher);
    else {
      if (watcher.state === "lagging") {
        watcher.stream.lagging.delete(watcher);
        this.#lagging--;
      } else {
        this.#catchUps.remove(watcher);
      }
      this.#endWatcher(watcher);
    }
    watcher.state = "ended";
  }

  resume(stream: WatchStream): void {
    const watchers = [...stream.lagging];
    stream.lagging.clear();
    this.#lagging -= watchers.length;
    this.#catchUps.addAll(watchers);
    if (stream.progressWanted || stream.tickWanted) this.#tellers.add(stream);
    if (watchers.length > 0 || this.#tellers.has(stream)) this.onWork();
  }

  tellProgress(stream: WatchStream): void {
    this.#tellers.add(stream);
    if (!this.#delivering && this.#delivered === this.#source.revision) this.#tell(stream);
    else this.onWork();
  }

  forget(stream: WatchStream): void {
    this.#streams.delete(stream);
    this.#tellers.delete(stream);
  }

  // Moving watchers between the sets.

  #enterSynced(watcher: Watcher): void {
    watcher.state = "synced";
    this.#synced.add(watcher);
  }

  #leave(watcher: Watcher): void {
    this.#synced.remove(watcher);
    watcher.state = "waiting";
  }

  #endWatcher(watcher: Watcher): void {
    watcher.state = "ended";
    watcher.stream.notSynced--;
    this.#retell(watcher.stream);
  }

  #fallBehind(watcher: Watcher): void {
    if (watcher.state === "synced") {
      this.#leave(watcher);
      watcher.stream.notSynced++;
    } else {
      this.#catchUps.remove(watcher);
    }
    watcher.state = "lagging";
    watcher.stream.lagging.add(watcher);
    this.#lagging++;
  }

  /** A stream may be able to tell its progress now that one less of its watchers is behind. */
  #retell(stream: WatcherStream): void {
    if (stream.progressWanted && stream.notSynced === 0) this.#tellers.add(stream);
  }

  #tell(stream: WatcherStream): void {
    this.#tellers.delete(stream);
    if (!stream.full) stream.sendProgress();
  }
}
