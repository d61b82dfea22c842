/**
 * Gives a slice of history to the watchers of an index. First every change is matched with the groups that watch its
 * key; then each watcher of a group that was met gets all its events of the slice in one answer.
 */
import type { Revision } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import type { ChangeSlice, StoreEvent } from "../types.ts";
import type { EventMaker } from "./types.ts";
import type { Watcher, WatcherGroup } from "./watcher.ts";
import type { WatcherIndex } from "./watcher-index.ts";

/** Changes that are matched, and answers that are sent, between two pauses. */
const matchesPerStep = 256;
const sendsPerStep = 128;

export interface SliceDelivery {
  readonly index: WatcherIndex;
  readonly slice: ChangeSlice;
  readonly makeEvent: EventMaker;
  /** A watcher's stream is full: it has to leave the index; its `minRevision` is the first revision it missed. */
  readonly fallBehind: (watcher: Watcher) => void;
  /** Told how many events an answer had. */
  readonly sent: (events: number) => void;
}

/** Watchers may come and go between the steps; those that come must not want anything of this slice. */
export function* deliverSlice(delivery: SliceDelivery): Steps<void> {
  const touched = yield* match(delivery);
  let sent = 0;
  for (const group of touched) {
    const { events } = group;
    group.events = [];
    const shared = new SharedEvents(events);
    for (const watcher of group.watchers) {
      const wanted = shared.for(watcher);
      if (wanted.length === 0) continue;
      send(delivery, watcher, wanted);
      if (++sent % sendsPerStep === 0) yield;
    }
  }
}

function* match({ index, slice, makeEvent }: SliceDelivery): Steps<WatcherGroup[]> {
  const touched: WatcherGroup[] = [];
  let event: StoreEvent | undefined;
  const add = (group: WatcherGroup) => {
    if (group.events.length === 0) touched.push(group);
    group.events.push(event!);
  };
  let matched = 0;
  for (const version of slice.versions) {
    // Only a change that somebody watches becomes an event.
    event = undefined;
    index.match(version.key, (group) => {
      event ??= makeEvent(version);
      add(group);
    });
    if (++matched % matchesPerStep === 0) yield;
  }
  return touched;
}

function send(
  { slice, fallBehind, sent }: SliceDelivery,
  watcher: Watcher,
  events: readonly StoreEvent[],
): void {
  const { stream } = watcher;
  if (!stream.full && stream.sink.hasRoom?.() === false) stream.full = true;
  if (stream.full) {
    watcher.minRevision = events[0]!.modRevision;
    fallBehind(watcher);
    return;
  }
  watcher.minRevision = (slice.upTo + 1) as Revision;
  watcher.sentSinceTick = true;
  sent(events.length);
  if (!stream.sink.events(watcher, events, slice.upTo)) stream.full = true;
}

/** Watchers that want the same events get the same array, so that a sink can recognize it. */
class SharedEvents {
  readonly #all: readonly StoreEvent[];
  #puts: StoreEvent[] | undefined;
  #deletes: StoreEvent[] | undefined;

  constructor(all: readonly StoreEvent[]) {
    this.#all = all;
  }

  for(watcher: Watcher): readonly StoreEvent[] {
    const first = this.#all[0];
    if (first === undefined) return [];
    if (watcher.minRevision > first.modRevision) return this.#all.filter((event) => watcher.wants(event));
    if (watcher.unfiltered) return this.#all;
    if (watcher.noPut && watcher.noDelete) return [];
    if (watcher.noPut) {
      this.#deletes ??= this.#all.filter((event) => event.kind === "delete");
      return this.#deletes;
    }
    this.#puts ??= this.#all.filter((event) => event.kind === "put");
    return this.#puts;
  }
}
