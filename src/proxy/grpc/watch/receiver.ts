/** One watch of a client: what it has been sent, and what it wants. */
import {
  emptyWatchResponse,
  encodeWatchResponse,
  type WatchResponse,
  watchResponseSize,
} from "../../../codec/watch.ts";
import type { Broadcast } from "./broadcast.ts";
import type { ClientWatches } from "./client-watches.ts";
import type { UpstreamAnswer } from "./watch-answer.ts";
import type { WatchGroup } from "./watch-group.ts";

/** As large as a fragment of an answer may be, for clients that want fragments: etcd's `--max-request-bytes`. */
const fragmentBytesMax = 1.5 * 1024 * 1024;

export interface ReceiverOptions {
  readonly id: bigint;
  readonly owner: ClientWatches;
  readonly group: WatchGroup;
  /** The first revision whose events it wants. */
  readonly nextRevision: number;
  /** The newest revision that there is, as far as is known. */
  readonly knownRevision: number;
  readonly wantsProgress: boolean;
  readonly wantsFragments: boolean;
}

export class Receiver {
  readonly id: bigint;
  readonly owner: ClientWatches;
  /** Set by whoever lets it join. */
  group: WatchGroup;
  readonly #wantsProgress: boolean;
  readonly #wantsFragments: boolean;
  /** It is sent no events before this revision, which may be far ahead. */
  nextRevision: number;
  /**
   * All events before this revision have been sent, or are not wanted: where a watch at a server would begin. Servers
   * do not say how far they are to a stream with a watch on the future, so that is never asked for.
   */
  from: number;
  /** Where its events come from; undefined while its client does not take what it is sent. */
  broadcast: Broadcast | undefined;

  constructor(options: ReceiverOptions) {
    this.id = options.id;
    this.owner = options.owner;
    this.group = options.group;
    this.nextRevision = options.nextRevision;
    this.from = Math.min(options.nextRevision, options.knownRevision + 1);
    this.#wantsProgress = options.wantsProgress;
    this.#wantsFragments = options.wantsFragments;
  }

  /** As `from`, as of now. */
  get reached(): number {
    return Math.max(this.from, this.broadcast?.nextRevision ?? 0);
  }

  /** What it has not seen of an answer with events. `shared` keeps encoded answers, for others who need the same. */
  takeEvents(answer: UpstreamAnswer, shared: Map<string, Uint8Array>): void {
    const { events } = answer;
    const first = events.findIndex(({ modRevision }) => modRevision >= this.nextRevision);
    if (first < 0) return;
    this.nextRevision = events.at(-1)!.modRevision + 1;
    this.from = this.nextRevision;
    const key = `${this.id} ${first}`;
    const known = this.#wantsFragments ? undefined : shared.get(key);
    if (known !== undefined) {
      this.owner.send(known);
      return;
    }
    const bytes = events.slice(first).map((event) => event.bytes);
    const whole: WatchResponse = { ...emptyWatchResponse, watchId: this.id, events: bytes };
    if (this.#wantsFragments && watchResponseSize(answer.header, whole) >= fragmentBytesMax) {
      for (const part of fragments(whole)) this.owner.send(encodeWatchResponse(answer.header, part));
      return;
    }
    const encoded = encodeWatchResponse(answer.header, whole);
    if (!this.#wantsFragments) shared.set(key, encoded);
    this.owner.send(encoded);
  }

  takeProgress({ header }: UpstreamAnswer): void {
    // A server may be behind the one that the watch was begun with.
    if (!this.#wantsProgress || header.revision < this.nextRevision - 1) return;
    this.owner.send(encodeWatchResponse(header, { ...emptyWatchResponse, watchId: this.id }));
  }

  /** The server has ended it, and says why. */
  takeEnd({ header, compactRevision, cancelReason }: UpstreamAnswer): void {
    const end = { ...emptyWatchResponse, watchId: this.id, canceled: true, compactRevision, cancelReason };
    this.owner.ended(this, encodeWatchResponse(header, end));
  }
}

function* fragments(whole: WatchResponse): Iterable<WatchResponse> {
  let part: Uint8Array[] = [];
  let bytes = 0;
  for (const event of whole.events) {
    if (part.length > 0 && bytes + event.length >= fragmentBytesMax) {
      yield { ...whole, events: part, fragment: true };
      part = [];
      bytes = 0;
    }
    part.push(event);
    bytes += event.length;
  }
  yield { ...whole, events: part };
}
