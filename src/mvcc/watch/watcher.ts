/** One watcher, and those that share its key or range. */
import type { KeySpan } from "../../backend/backend.ts";
import type { Revision } from "../../lib/ids.ts";
import type { StoreEvent } from "../types.ts";
import type { WatcherInfo, WatchOptions, WatchSink } from "./types.ts";

/**
 * Where a watcher stands:
 *
 *     synced       gets events as they happen
 *     catchingUp   in a catch-up that reads the history
 *     waiting      for a catch-up to take it
 *     lagging      its stream is full; events are not even looked at
 *     ended        cancelled, or compacted and not yet cancelled by the client
 */
export type WatcherState = "synced" | "catchingUp" | "waiting" | "lagging" | "ended";

/** What the watchers of one client stream share. */
export interface WatcherStream {
  readonly sink: WatchSink;
  /** The sink has enough; set by whoever sent. */
  full: boolean;
  /** Watchers with events that the full sink could not take. */
  readonly lagging: Set<Watcher>;
  /** Watchers that are not synced, those that ended left out. */
  notSynced: number;
  /** The client asked for progress, and could not be answered yet. */
  progressWanted: boolean;
  /** A tick came while events were on their way. */
  tickWanted: boolean;
  /** Tells progress that is wanted. Nothing may be on its way to a synced watcher. */
  sendProgress(): void;
}

export class Watcher implements WatcherInfo {
  readonly id: bigint;
  readonly stream: WatcherStream;
  readonly span: KeySpan;
  /** True for one key, which `span.from` then is. */
  readonly single: boolean;
  readonly startRevision: Revision;
  readonly prevKv: boolean;
  readonly fragment: boolean;
  readonly progressNotify: boolean;
  readonly noPut: boolean;
  readonly noDelete: boolean;
  state: WatcherState = "waiting";
  /** Events before this revision are not for it: it has had them, or never asked for them. */
  minRevision: Revision;
  /** Events were sent since the last tick, so that no progress need be told. */
  sentSinceTick = false;
  /** The catch-up that reads for it. */
  reader: object | undefined = undefined;

  constructor(stream: WatcherStream, id: bigint, span: KeySpan, options: WatchOptions) {
    this.stream = stream;
    this.id = id;
    this.span = span;
    this.single = (options.rangeEnd?.length ?? 0) === 0;
    this.startRevision = (options.startRevision ?? 0) as Revision;
    this.minRevision = this.startRevision;
    this.prevKv = options.prevKv ?? false;
    this.fragment = options.fragment ?? false;
    this.progressNotify = options.progressNotify ?? false;
    this.noPut = options.noPut ?? false;
    this.noDelete = options.noDelete ?? false;
  }

  /** Whether all events from `minRevision` on are wanted. */
  get unfiltered(): boolean {
    return !this.noPut && !this.noDelete;
  }

  wants(event: StoreEvent): boolean {
    if (event.modRevision < this.minRevision) return false;
    return event.kind === "put" ? !this.noPut : !this.noDelete;
  }
}

/** Watchers of the same key or range: events are matched for all of them at once. */
export class WatcherGroup {
  readonly watchers = new Set<Watcher>();
  /** Events of the slice that is being delivered. */
  events: StoreEvent[] = [];
}
