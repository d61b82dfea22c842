/** What the watch part asks of the store below it and of the connection above it. */
import type { Version } from "../../backend/backend.ts";
import type { Revision } from "../../lib/ids.ts";
import type { ReadPins } from "../read/read-pins.ts";
import type { KeyValueStore, StoreEvent } from "../types.ts";

/** The store, as watchers need it. */
export interface WatchSource
  extends Pick<KeyValueStore, "revision" | "compactRevision" | "changes" | "keyValueAt"> {
  readonly pins: ReadPins;
}

/** The watch id in an answer that is about all watchers of its stream, or about none. */
export const noWatchId = -1n;

/** What a sink has to know of the watcher whose events it gets. */
export interface WatcherInfo {
  readonly id: bigint;
  /** Events are wanted with the version before. */
  readonly prevKv: boolean;
  /** An answer larger than a message may be is to be sent in parts (WatchResponse.fragment). Without it the events of
   * one call are never parted. */
  readonly fragment: boolean;
}

/**
 * Where the answers of one client stream go. Every call is taken, whatever it returns; false says that the stream has
 * enough for now. Then nothing more comes until `WatchStream.drained` is called, and no event waits in memory
 * meanwhile: it is read from the history again.
 *
 * Calls come from inside `WatchHub.deliver` and, for progress, from inside `WatchStream.requestProgress` and `tick`;
 * never from inside `create`.
 */
export interface WatchSink {
  /** False if others on the same connection have so much to be sent that no events are wanted for now: then as if a call
   * had returned false. */
  hasRoom?(): boolean;
  /**
   * Events for one watcher, at least one, in order. `revision` is for the header: the watcher has now seen all its
   * events up to it. The same array goes to all watchers that want the same events.
   */
  events(watcher: WatcherInfo, events: readonly StoreEvent[], revision: Revision): boolean;
  /** An answer without events: the watcher (or all watchers of the stream, for `noWatchId`) has seen everything up to
   * `revision`. */
  progress(watchId: bigint, revision: Revision): boolean;
  /** The watcher is cancelled: what it wants is compacted. etcd's answer has `canceled`, this `compact_revision`, no
   * reason, and a header without a revision. */
  compacted(watchId: bigint, compactRevision: Revision): boolean;
}

/** A WatchCreateRequest; only `key` is needed. */
export interface WatchOptions {
  /** Empty: from the first key on. */
  readonly key: Uint8Array;
  /** Empty: the one key. A single zero byte: all keys from `key` on. */
  readonly rangeEnd?: Uint8Array;
  /** 0 is "what comes after now". */
  readonly startRevision?: number;
  readonly prevKv?: boolean;
  readonly fragment?: boolean;
  readonly progressNotify?: boolean;
  readonly noPut?: boolean;
  readonly noDelete?: boolean;
  /** Chosen by the client; 0n leaves the choice to the server. */
  readonly watchId?: bigint;
}

/** The watcher's id, or why there is none: etcd's cancel_reason in an answer with `created`, `canceled` and the
 * watch id -1. */
export type WatchCreated = { readonly id: bigint } | { readonly refused: string };

/** Makes the events of one slice of history. */
export type EventMaker = (version: Version) => StoreEvent;
