/** Hands leadership to another member: when somebody asks for it, and when this one is about to stop or its disk stalls. */

import { errors } from "../../errors/table.ts";
import type { Clock } from "../../lib/clock.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Cluster } from "../../membership/cluster.ts";
import { formatId } from "../../membership/member.ts";
import type { Peers } from "../peers.ts";
import { longestConnected } from "./connectivity.ts";

export interface LeaderTransferOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly peers: Peers;
  readonly tickMs: number;
  readonly leader: () => MemberId;
  /** How much of the log a member has, as far as this leader knows. */
  readonly matchOf: (id: MemberId) => number;
  /** Tells Raft. */
  readonly transfer: (target: MemberId) => void;
}

export class LeaderTransfer {
  readonly #options: LeaderTransferOptions;

  constructor(options: LeaderTransferOptions) {
    this.#options = options;
  }

  /** Resolves when `target` leads. Rejects with ErrNotLeader, ErrBadLeaderTransferee or ErrTimeoutLeaderTransfer. */
  async moveTo(target: MemberId, timeoutMs: number): Promise<void> {
    const { cluster, clock, logger, leader, transfer, tickMs } = this.#options;
    if (leader() !== cluster.localId) throw errors.notLeader();
    const member = cluster.member(target);
    if (member === undefined || member.isLearner) throw errors.badLeaderTransferee();
    const ids = { "local-member-id": formatId(cluster.localId), "transferee-member-id": formatId(target) };
    logger.info("leadership transfer starting", ids);
    const startMs = clock.monotonicMs();
    transfer(target);
    while (leader() !== target) {
      if (clock.monotonicMs() - startMs >= timeoutMs) throw errors.timeoutLeaderTransfer();
      await new Promise<void>((resolve) => clock.after(tickMs / 4, resolve));
    }
    logger.info("leadership transfer finished", {
      ...ids,
      took: formatGoDuration(clock.monotonicMs() - startMs),
    });
  }

  /** For a leader that is about to stop: hands over to the voter that has most of the log, and of those to the one it is
   * connected with for the longest time. Never rejects. */
  async beforeStop(timeoutMs: number): Promise<void> {
    const { cluster, leader, logger } = this.#options;
    const ids = {
      "local-member-id": formatId(cluster.localId),
      "current-leader-member-id": formatId(leader()),
    };
    if (leader() !== cluster.localId) {
      logger.info("skipped leadership transfer; local server is not leader", ids);
      return;
    }
    const voters = cluster.members().filter(({ isLearner }) => !isLearner);
    if (voters.length <= 1) {
      logger.info("skipped leadership transfer for single voting member cluster", ids);
      return;
    }
    await this.#toFurthest(
      voters.map(({ id }) => id),
      ids,
      timeoutMs,
    );
  }

  /** For a leader whose log has not been written for `stalledMs`, while a quorum of others wrote theirs. Never rejects. */
  async fromStalled(stalledMs: number, timeoutMs: number): Promise<void> {
    const { cluster, logger } = this.#options;
    const ids = { "local-member-id": formatId(cluster.localId) };
    logger.warn("the log of this leader is not written in time; handing leadership over", {
      ...ids,
      took: formatGoDuration(stalledMs),
    });
    const voters = cluster.members().filter(({ isLearner }) => !isLearner);
    await this.#toFurthest(
      voters.map(({ id }) => id),
      ids,
      timeoutMs,
    );
  }

  async #toFurthest(
    voters: readonly MemberId[],
    ids: Record<string, string>,
    timeoutMs: number,
  ): Promise<void> {
    const { logger, peers } = this.#options;
    const target = longestConnected(peers, this.#furthest(voters));
    try {
      if (target === undefined) throw errors.unhealthy();
      await this.moveTo(target, timeoutMs);
    } catch (error) {
      logger.warn("leadership transfer failed", { ...ids, error: (error as Error).message });
    }
  }

  /** The connected ones, and of these the ones with the longest logs. */
  #furthest(voters: readonly MemberId[]): MemberId[] {
    const { cluster, peers, matchOf } = this.#options;
    const connected = voters.filter((id) => id !== cluster.localId && peers.activeSinceMs(id) !== undefined);
    const furthest = Math.max(...connected.map(matchOf));
    return connected.filter((id) => matchOf(id) === furthest);
  }
}
