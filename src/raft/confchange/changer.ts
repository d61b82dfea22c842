/**
 * The arithmetic of configurations: from one ConfState and a change to the next, or an error that says why not.
 *
 * A joint configuration has two sets of voters. `voters` is the incoming one, which changes are made to;
 * `votersOutgoing` is what `voters` was before. Invariants, checked on every result:
 *
 *   - no member is a voter (in either half) and a learner at once;
 *   - who is to become a learner but still votes in the outgoing half waits in `learnersNext`;
 *   - outside of a joint configuration `votersOutgoing`, `learnersNext` and `autoLeave` are empty.
 */
import type { MemberId } from "../../lib/ids.ts";
import type { ConfState } from "../../lib/raft-entry.ts";
import { sortIds } from "../tracker/tracker.ts";
import {
  asV2,
  type ConfChange,
  type ConfChangeSingle,
  ConfChangeType,
  type ConfChangeV2,
  entersJoint,
  isCancelled,
  leavesJoint,
} from "./types.ts";

/** A change that does not fit the configuration it would be made to. */
export class ConfChangeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ConfChangeError";
  }
}

/** The configuration after `change`. Throws ConfChangeError. */
export function applyChange(config: ConfState, change: ConfChange | ConfChangeV2): ConfState {
  const v2 = asV2(change);
  if (leavesJoint(v2)) return leaveJoint(config);
  const { joint, autoLeave } = entersJoint(v2);
  return joint ? enterJoint(config, autoLeave, v2.changes) : simple(config, v2.changes);
}

/** Dissertation 4.3, from C_old to C_old,new. */
export function enterJoint(
  config: ConfState,
  autoLeave: boolean,
  changes: readonly ConfChangeSingle[],
): ConfState {
  if (isJoint(config)) throw new ConfChangeError("config is already joint");
  if (config.voters.length === 0) throw new ConfChangeError("can't make a zero-voter config joint");
  const draft = new Draft(config);
  for (const id of config.voters) draft.outgoing.add(id);
  draft.apply(changes);
  return draft.finish(autoLeave);
}

/** Dissertation 4.3, from C_old,new to C_new. */
export function leaveJoint(config: ConfState): ConfState {
  if (!isJoint(config)) throw new ConfChangeError("can't leave a non-joint config");
  const draft = new Draft(config);
  for (const id of draft.learnersNext) draft.learners.add(id);
  draft.learnersNext.clear();
  draft.outgoing.clear();
  return draft.finish(false);
}

/** Dissertation 4.1: changes that together alter the voters by one at most, so that old and new quorums overlap. */
export function simple(config: ConfState, changes: readonly ConfChangeSingle[]): ConfState {
  if (isJoint(config)) throw new ConfChangeError("can't apply simple config change in joint config");
  const draft = new Draft(config);
  draft.apply(changes);
  const removed = config.voters.filter((id) => !draft.incoming.has(id)).length;
  const added = draft.incoming.size - (config.voters.length - removed);
  if (added + removed > 1) {
    throw new ConfChangeError("more than one voter changed without entering joint config");
  }
  return draft.finish(false);
}

function isJoint(config: ConfState): boolean {
  return config.votersOutgoing.length > 0;
}

/** A configuration while it is being changed. */
class Draft {
  readonly incoming: Set<MemberId>;
  readonly outgoing: Set<MemberId>;
  readonly learners: Set<MemberId>;
  readonly learnersNext: Set<MemberId>;

  constructor(config: ConfState) {
    checkConfig(config);
    this.incoming = new Set(config.voters);
    this.outgoing = new Set(config.votersOutgoing);
    this.learners = new Set(config.learners);
    this.learnersNext = new Set(config.learnersNext);
  }

  apply(changes: readonly ConfChangeSingle[]): void {
    for (const change of changes) {
      if (isCancelled(change)) continue;
      switch (change.type) {
        case ConfChangeType.addNode:
          this.#remove(change.nodeId);
          this.incoming.add(change.nodeId);
          break;
        case ConfChangeType.addLearnerNode:
          if (this.learners.has(change.nodeId)) break;
          this.#remove(change.nodeId);
          if (this.outgoing.has(change.nodeId)) this.learnersNext.add(change.nodeId);
          else this.learners.add(change.nodeId);
          break;
        case ConfChangeType.removeNode:
          this.#remove(change.nodeId);
          break;
        case ConfChangeType.updateNode:
          break;
        default:
          throw new ConfChangeError(`unexpected conf type ${String(change.type)}`);
      }
    }
    if (this.incoming.size === 0) throw new ConfChangeError("removed all voters");
  }

  finish(autoLeave: boolean): ConfState {
    const config: ConfState = {
      voters: sortIds([...this.incoming]),
      learners: sortIds([...this.learners]),
      votersOutgoing: sortIds([...this.outgoing]),
      learnersNext: sortIds([...this.learnersNext]),
      autoLeave,
    };
    checkConfig(config);
    return config;
  }

  #remove(id: MemberId): void {
    this.incoming.delete(id);
    this.learners.delete(id);
    this.learnersNext.delete(id);
  }
}

/** Throws ConfChangeError unless the invariants at the top of this file hold. */
export function checkConfig(config: ConfState): void {
  const outgoing = new Set(config.votersOutgoing);
  const voters = new Set([...config.voters, ...config.votersOutgoing]);
  for (const id of config.learners) {
    if (voters.has(id)) throw new ConfChangeError(`${id.toString(16)} is a learner and a voter`);
  }
  for (const id of config.learnersNext) {
    if (!outgoing.has(id)) {
      throw new ConfChangeError(`${id.toString(16)} is in LearnersNext, but not an outgoing voter`);
    }
    if (config.voters.includes(id)) {
      throw new ConfChangeError(`${id.toString(16)} is in LearnersNext and an incoming voter`);
    }
  }
  if (outgoing.size === 0 && (config.learnersNext.length > 0 || config.autoLeave)) {
    throw new ConfChangeError("LearnersNext and AutoLeave need a joint config");
  }
}
