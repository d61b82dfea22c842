/**
 * All watches of clients on one range with the same filters: they share one watch on a server. One that begins further
 * back has a watch of its own until it has caught up with the others.
 */
import { Broadcast } from "./broadcast.ts";
import type { Receiver } from "./receiver.ts";
import type { UpstreamAnswer } from "./watch-answer.ts";
import type { WatchHub } from "./watch-hub.ts";

/** What is asked of the server, but for the revision. */
export interface GroupOptions {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly noPut: boolean;
  readonly noDelete: boolean;
  readonly prevKv: boolean;
  readonly requireLeader: boolean;
}

export function groupName(options: GroupOptions): string {
  const { key, rangeEnd, noPut, noDelete, prevKv, requireLeader } = options;
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
  const flags = [noPut, noDelete, prevKv, requireLeader].map(Number).join("");
  return `${flags} ${key.length} ${text(key)}${text(rangeEnd)}`;
}

export class WatchGroup {
  readonly name: string;
  readonly options: GroupOptions;
  readonly broadcasts = new Set<Broadcast>();
  readonly #hub: WatchHub;

  constructor(hub: WatchHub, name: string, options: GroupOptions) {
    this.#hub = hub;
    this.name = name;
    this.options = options;
  }

  /** Where a watch from now on may begin: behind what others have been sent, if that is newer than `revision`. */
  startFromNow(revision: number): number {
    let start = revision + 1;
    for (const { seenRevision } of this.broadcasts) start = Math.max(start, seenRevision + 1);
    return start;
  }

  /** Gives a watch its events from its next revision on. */
  join(receiver: Receiver): void {
    let best: Broadcast | undefined;
    for (const broadcast of this.broadcasts) {
      if (broadcast.nextRevision > receiver.nextRevision) continue;
      if (best === undefined || broadcast.nextRevision > best.nextRevision) best = broadcast;
    }
    if (best === undefined) {
      best = new Broadcast(this, receiver.owner.session, receiver.from);
      this.broadcasts.add(best);
      best.session.create(best);
      if (this.broadcasts.size > 1) best.session.wantProgress();
    } else if (best.receivers.size > 0) this.#hub.metrics.watchersCoalescing.inc();
    best.receivers.add(receiver);
    receiver.broadcast = best;
  }

  /** The watch is over, or its client takes nothing for now. */
  leave(receiver: Receiver): void {
    const { broadcast } = receiver;
    if (broadcast === undefined) return;
    receiver.broadcast = undefined;
    broadcast.receivers.delete(receiver);
    if (broadcast.receivers.size > 0) this.#hub.metrics.watchersCoalescing.inc(-1);
    else this.#drop(broadcast);
  }

  #drop(broadcast: Broadcast): void {
    this.broadcasts.delete(broadcast);
    broadcast.session.cancel(broadcast);
    if (this.broadcasts.size === 0) this.#hub.forgetGroup(this);
  }

  /** Joins `broadcast`, which was at `before` until now, with one that it has caught up with. */
  onAdvance(broadcast: Broadcast, before: number): void {
    if (this.broadcasts.size < 2 || !this.broadcasts.has(broadcast)) return;
    let ahead: Broadcast | undefined;
    for (const other of this.broadcasts) {
      const { nextRevision } = other;
      if (other === broadcast || nextRevision < before || nextRevision > broadcast.nextRevision) continue;
      if (ahead === undefined || nextRevision > ahead.nextRevision) ahead = other;
    }
    if (ahead === undefined) return;
    // Each of them knows what it has been sent, so that nothing comes twice.
    for (const receiver of broadcast.receivers) {
      receiver.from = receiver.reached;
      receiver.broadcast = ahead;
      ahead.receivers.add(receiver);
    }
    broadcast.receivers.clear();
    this.#hub.metrics.watchersCoalescing.inc();
    this.#drop(broadcast);
  }

  onCanceled(broadcast: Broadcast, answer: UpstreamAnswer): void {
    const receivers = [...broadcast.receivers];
    const { compactRevision } = answer;
    this.#hub.metrics.watchersCoalescing.inc(-Math.max(0, receivers.length - 1));
    for (const receiver of receivers) receiver.broadcast = undefined;
    broadcast.receivers.clear();
    this.#drop(broadcast);
    for (const receiver of receivers) {
      // Refused for somebody whose rights or token it was begun with: the others go on with their own.
      const isOthers = answer.created && receiver.owner.session !== broadcast.session;
      // The range was quiet for this one, which needs none of what is gone.
      const isBehind = compactRevision > 0 && receiver.nextRevision > compactRevision;
      if (isBehind) receiver.from = Math.max(receiver.from, compactRevision + 1);
      if (isOthers || isBehind) this.#hub.join(receiver);
      else receiver.takeEnd(answer);
    }
  }

  countEvents(receivers: number): void {
    this.#hub.metrics.eventsCoalescing.inc(Math.max(0, receivers - 1));
  }
}
