/** A sink that writes down what it gets, and is full when the test says so. */
import type { Revision } from "../../lib/ids.ts";
import type { StoreEvent } from "../types.ts";
import type { WatcherInfo, WatchSink } from "../watch/types.ts";

export type Received =
  | {
      readonly kind: "events";
      readonly id: bigint;
      readonly events: readonly StoreEvent[];
      readonly revision: Revision;
    }
  | { readonly kind: "progress"; readonly id: bigint; readonly revision: Revision }
  | { readonly kind: "compacted"; readonly id: bigint; readonly revision: Revision };

export class RecordingSink implements WatchSink {
  readonly received: Received[] = [];
  /** How many more answers it takes before it says that it is full. */
  room = Number.POSITIVE_INFINITY;
  /** Called with each answer. */
  onReceived: (received: Received) => void = () => {};

  events(watcher: WatcherInfo, events: readonly StoreEvent[], revision: Revision): boolean {
    return this.#take({ kind: "events", id: watcher.id, events, revision });
  }

  progress(id: bigint, revision: Revision): boolean {
    return this.#take({ kind: "progress", id, revision });
  }

  compacted(id: bigint, revision: Revision): boolean {
    return this.#take({ kind: "compacted", id, revision });
  }

  /** What came since the last call, one line each: `id: revision [put key=value@revision …]`. */
  take(): string[] {
    return this.received.splice(0).map((one) => {
      if (one.kind !== "events") return `${one.id}: ${one.kind} ${one.revision}`;
      const events = one.events.map((event) => {
        const value = event.kind === "put" ? `=${String.fromCharCode(...event.kv.value)}` : "";
        return `${event.kind} ${event.binaryKey}${value}@${event.modRevision}`;
      });
      return `${one.id}: ${one.revision} [${events.join(", ")}]`;
    });
  }

  #take(received: Received): boolean {
    this.received.push(received);
    this.onReceived(received);
    this.room--;
    return this.room > 0;
  }
}
