/**
 * The first start of a member of a new cluster. As etcd does it: the log begins with one committed ConfChange for
 * each founding member, at term 1, in the order of the ids, so that all members begin with the same entries without
 * having talked to each other.
 */
import { assert } from "../lib/assert.ts";
import { type MemberId, noMember, type RaftIndex, type Term } from "../lib/ids.ts";
import { EntryType, emptyConfState } from "../lib/raft-entry.ts";
import { noBytes } from "../lib/raft-message.ts";
import { applyChange } from "./confchange/changer.ts";
import { ConfChangeType } from "./confchange/types.ts";
import { encodeConfChange } from "./confchange/wire.ts";
import type { RaftStart } from "./log/start.ts";
import type { Raft } from "./raft.ts";
import { becomeFollower } from "./roles.ts";

/** A founding member. `context` describes it to the state machine (etcd: its JSON). */
export interface Founder {
  readonly id: MemberId;
  readonly context?: Uint8Array;
}

/** The start of a member with an empty disk: of a new cluster (then call `bootstrap`), or joining one. */
export const freshStart: RaftStart = {
  snapshot: undefined,
  entries: [],
  applied: 0 as RaftIndex,
  hardState: undefined,
  confState: emptyConfState,
};

export function bootstrap(raft: Raft, founders: readonly Founder[]): void {
  const { log, tracker } = raft;
  assert(log.last === 0 && raft.term === 0, "raft: only an empty member can be bootstrapped");
  assert(founders.length > 0, "raft: a cluster needs a founding member");
  becomeFollower(raft, 1 as Term, noMember);
  let config = tracker.config;
  for (const { id, context } of founders.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const change = { id: 0n, type: ConfChangeType.addNode, nodeId: id, context: context ?? noBytes };
    const index = (log.last + 1) as RaftIndex;
    log.append({ type: EntryType.confChange, term: raft.term, index, data: encodeConfChange(change) });
    config = applyChange(config, change);
  }
  log.commitTo(log.last);
  // In force at once, so that the member can stand for election; applying the entries then changes nothing.
  tracker.reconfigure(config, log.last);
  raft.confIndex = log.last;
}
