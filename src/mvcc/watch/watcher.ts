/** One watcher, and those that share its key or range. */
import type { KeySpan } from "../../backend/backend.ts";
import type { Revision } from "../../lib/ids.ts";
import type { StoreEvent } from "../types.ts";
import type { CatchUp } from "./catch-up.ts";
import type { WatcherInfo, WatchOptions } from "./types.ts";
import type { WatchStream } from "./watch-stream.ts";

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

export class Watcher implements WatcherInfo {
  readonly id: bigint;
  readonly stream: WatchStream;
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
  reader: CatchUp | undefined = undefined;

  constructor(stream: WatchStream, id: bigint, span: KeySpan, options: WatchOptions) {
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
