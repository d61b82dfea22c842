/**
 * What a Raft core is told when it is made, with etcd's defaults.
 */
import { assert } from "../lib/assert.ts";
import { type MemberId, noMember } from "../lib/ids.ts";

/** Where a core says what it does. Nothing depends on it. */
export interface RaftLogger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}

export interface RaftConfig {
  readonly id: MemberId;
  /** Ticks without a leader after which an election starts; each time up to twice as many, by chance. */
  readonly electionTicks: number;
  /** Ticks between two heartbeats. Less than `electionTicks`; a tenth is usual. */
  readonly heartbeatTicks: number;
  /** A number in [0, bound), from whatever source of chance the composition root chose. */
  readonly randomBelow: (bound: number) => number;
  /** Ask whether an election could be won before starting it (dissertation 9.6). Default true. */
  readonly preVote?: boolean;
  /** A leader that hears from no quorum steps down, and nobody votes while a leader is heard (6.2, 4.2.3). Default true. */
  readonly checkQuorum?: boolean;
  /**
   * `safe`: a round of heartbeats confirms each batch of reads. `lease`: none is needed while the last answered
   * heartbeats are recent enough (6.4.1); needs `checkQuorum`, the same setting on all members, and clocks whose
   * rates differ little. Default `safe`.
   */
  readonly readMode?: "safe" | "lease";
  /** Ticks by which a lease ends early, against clocks that run at different rates. Default 1. */
  readonly leaseMarginTicks?: number;
  /** Followers refuse proposals instead of sending them to the leader. Default false. */
  readonly disableProposalForwarding?: boolean;
  /** A leader that is removed or made a learner becomes a follower when it applies that. Default true. */
  readonly stepDownOnRemoval?: boolean;
  /** Bytes of entries in one append message; an entry larger than this goes alone. Default 1 MiB. */
  readonly maxMessageBytes?: number;
  /** Append messages on their way to one follower. Default 512. */
  readonly maxInflightMessages?: number;
  /** Bytes of entries on their way to one follower. Default: no limit. */
  readonly maxInflightBytes?: number;
  /** Bytes of committed entries that may be in the hands of the state machine at once. Default 1 MiB. */
  readonly maxApplyingBytes?: number;
  /** Bytes of entries a leader may have appended and not committed before it refuses more. Default: no limit. */
  readonly maxUncommittedBytes?: number;
  /** Reads that may wait for a leader's first commit, or for confirmation. Default 100,000. */
  readonly maxPendingReads?: number;
  /** Entries kept in memory, after they are applied, for followers that lag. Default 5,000. */
  readonly keepEntries?: number;
  /**
   * Bytes of entries in memory. Above it, applied entries go even if a follower still needs them: it will get a
   * snapshot. Default 64 MiB.
   */
  readonly maxLogBytes?: number;
  readonly logger?: RaftLogger;
}

export type ResolvedConfig = Required<RaftConfig>;

const silent: RaftLogger = { debug() {}, info() {}, warn() {} };

/** Fills in the defaults; throws on a configuration that cannot work. */
export function resolveConfig(config: RaftConfig): ResolvedConfig {
  const resolved: ResolvedConfig = {
    id: config.id,
    electionTicks: config.electionTicks,
    heartbeatTicks: config.heartbeatTicks,
    randomBelow: config.randomBelow,
    preVote: config.preVote ?? true,
    checkQuorum: config.checkQuorum ?? true,
    readMode: config.readMode ?? "safe",
    leaseMarginTicks: config.leaseMarginTicks ?? 1,
    disableProposalForwarding: config.disableProposalForwarding ?? false,
    stepDownOnRemoval: config.stepDownOnRemoval ?? true,
    maxMessageBytes: config.maxMessageBytes ?? 1024 * 1024,
    maxInflightMessages: config.maxInflightMessages ?? 512,
    maxInflightBytes: config.maxInflightBytes ?? Number.POSITIVE_INFINITY,
    maxApplyingBytes: config.maxApplyingBytes ?? 1024 * 1024,
    maxUncommittedBytes: config.maxUncommittedBytes ?? Number.POSITIVE_INFINITY,
    maxPendingReads: config.maxPendingReads ?? 100_000,
    keepEntries: config.keepEntries ?? 5_000,
    maxLogBytes: config.maxLogBytes ?? 64 * 1024 * 1024,
    logger: config.logger ?? silent,
  };
  assert(resolved.id !== noMember, "raft: a member's id cannot be 0");
  assert(resolved.heartbeatTicks > 0, "raft: heartbeatTicks must be positive");
  assert(resolved.electionTicks > resolved.heartbeatTicks, "raft: electionTicks must exceed heartbeatTicks");
  assert(resolved.maxInflightMessages > 0, "raft: maxInflightMessages must be positive");
  assert(
    resolved.maxInflightBytes >= resolved.maxMessageBytes,
    "raft: maxInflightBytes must be at least maxMessageBytes",
  );
  assert(resolved.readMode === "safe" || resolved.checkQuorum, "raft: lease reads need checkQuorum");
  return resolved;
}
