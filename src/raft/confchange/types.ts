/**
 * Changes of the configuration (raftpb.ConfChange and ConfChangeV2) as plain objects.
 */
import { type MemberId, noMember } from "../../lib/ids.ts";

/** raftpb.ConfChangeType. */
export const ConfChangeType = { addNode: 0, removeNode: 1, updateNode: 2, addLearnerNode: 3 } as const;
export type ConfChangeType = (typeof ConfChangeType)[keyof typeof ConfChangeType];

/** raftpb.ConfChangeTransition. */
export const ConfChangeTransition = {
  /** One change: the simple way. Several: joint, left by itself. */
  auto: 0,
  /** Joint, and left by itself as soon as it is applied. */
  jointImplicit: 1,
  /** Joint until an empty change is proposed. */
  jointExplicit: 2,
} as const;
export type ConfChangeTransition = (typeof ConfChangeTransition)[keyof typeof ConfChangeTransition];

export interface ConfChangeSingle {
  readonly type: ConfChangeType;
  /** 0n: whoever applies the change decided to ignore it. */
  readonly nodeId: MemberId;
}

/** The older form: one change. etcd uses this one. */
export interface ConfChange extends ConfChangeSingle {
  /** The proposer's mark, to recognize its own change. */
  readonly id: bigint;
  readonly context: Uint8Array;
}

/** Any number of changes, made together. With none it leaves a joint configuration. */
export interface ConfChangeV2 {
  readonly transition: ConfChangeTransition;
  readonly changes: readonly ConfChangeSingle[];
  readonly context: Uint8Array;
}

/** Either form as the newer one. */
export function asV2(change: ConfChange | ConfChangeV2): ConfChangeV2 {
  if ("changes" in change) return change;
  return {
    transition: ConfChangeTransition.auto,
    changes: [{ type: change.type, nodeId: change.nodeId }],
    context: change.context,
  };
}

/** Only an empty change leaves a joint configuration; its context does not matter. */
export function leavesJoint(change: ConfChangeV2): boolean {
  return change.transition === ConfChangeTransition.auto && change.changes.length === 0;
}

/** Whether a change goes through a joint configuration, and if so whether Raft itself leaves it. */
export function entersJoint(change: ConfChangeV2): { joint: boolean; autoLeave: boolean } {
  const joint = change.transition !== ConfChangeTransition.auto || change.changes.length > 1;
  return { joint, autoLeave: joint && change.transition !== ConfChangeTransition.jointExplicit };
}

const letters: Record<ConfChangeType, string> = { 0: "v", 1: "r", 2: "u", 3: "l" };

/** `v1 l2 r3 u4`: for logs and transcripts. */
export function describeConfChange(change: ConfChange | ConfChangeV2): string {
  const { changes } = asV2(change);
  if (changes.length === 0) return "leave joint";
  return changes.map(({ type, nodeId }) => `${letters[type]}${nodeId.toString(16)}`).join(" ");
}

/** True for a change that does nothing, such as one cancelled while it was applied. */
export function isCancelled(change: ConfChangeSingle): boolean {
  return change.nodeId === noMember;
}
