/** One watch on a server behind the proxy, and the clients' watches that its events go to. */
import type { Receiver } from "./receiver.ts";
import type { UpstreamAnswer } from "./watch-answer.ts";
import type { WatchGroup } from "./watch-group.ts";
import type { WatchSession } from "./watch-session.ts";

export class Broadcast {
  readonly group: WatchGroup;
  readonly receivers = new Set<Receiver>();
  session: WatchSession;
  /** The server's name for it; undefined until the server has said that it is there. */
  watchId: bigint | undefined;
  /** All events before this revision have come. */
  nextRevision: number;
  /** The newest revision that the server has told with events or progress; 0 before the first. */
  seenRevision = 0;

  constructor(group: WatchGroup, session: WatchSession, nextRevision: number) {
    this.group = group;
    this.session = session;
    this.nextRevision = nextRevision;
  }

  /** An answer with events, or with progress. */
  onAnswer(answer: UpstreamAnswer): void {
    const { events, header } = answer;
    const last = events.at(-1)?.modRevision ?? header.revision;
    const before = this.nextRevision;
    if (events.length > 0) this.group.countEvents(this.receivers.size);
    const shared = new Map<string, Uint8Array>();
    for (const receiver of [...this.receivers]) {
      // One that is full leaves while others are served.
      if (receiver.broadcast !== this) continue;
      if (events.length > 0) receiver.takeEvents(answer, shared);
      else receiver.takeProgress(answer);
    }
    // Behind the others: one that leaves among them has not been sent this. And of many events what is left comes
    // later, though the header has the newest revision already.
    this.seenRevision = Math.max(this.seenRevision, last);
    this.nextRevision = Math.max(before, last + 1);
    this.group.onAdvance(this, before);
  }

  /** All events up to that revision have come, says the server. */
  onProgress(revision: number): void {
    const before = this.nextRevision;
    this.seenRevision = Math.max(this.seenRevision, revision);
    this.nextRevision = Math.max(before, revision + 1);
    this.group.onAdvance(this, before);
  }

  /** The server ended it: compacted, or no longer allowed. */
  onCanceled(answer: UpstreamAnswer): void {
    this.watchId = undefined;
    this.group.onCanceled(this, answer);
  }
}
