/**
 * Changes of the membership: checked, proposed as entries of their own kind, and answered once they are applied here. A
 * leader takes one at a time; what comes too early waits for its turn.
 */
import type { EtcdError } from "../../errors/etcd-error.ts";
import { errors } from "../../errors/table.ts";
import type { Clock } from "../../lib/clock.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import { type Cluster, ConfChangeType } from "../../membership/cluster.ts";
import {
  computeMemberId,
  formatId,
  type Member,
  memberToJson,
  type Sha1,
  utf8,
} from "../../membership/member.ts";
import type { ConfChange } from "../../raft/confchange/types.ts";
import type { RawNode } from "../../raft/raw-node.ts";
import type { LeaderCalls } from "../leader-calls.ts";
import type { Peers } from "../peers.ts";
import type { Proposal, Proposals } from "../proposal.ts";
import type { ServerMetrics } from "../server-metrics.ts";
import { checkAdd, checkPromote, checkRemove } from "./strict-reconfig.ts";

/** A learner with this part of the leader's log is ready to vote. */
const readyPart = 0.9;
/** Changes that may wait for their turn. */
const waitingMax = 1000;

export interface MemberChangesOptions {
  readonly cluster: Cluster;
  readonly node: RawNode;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly proposals: Proposals;
  readonly sha1: Sha1;
  readonly metrics: Pick<ServerMetrics, "learnersPromoted" | "promotionFailed">;
  /** `--strict-reconfig-check`. */
  readonly strict: boolean;
  readonly leaderCalls: LeaderCalls;
  /** Resolves when everything committed now is applied. */
  readonly caughtUp: () => Promise<void>;
  /** Carries out what Raft wants done. */
  readonly process: () => void;
}

interface WaitingChange {
  readonly change: ConfChange;
  readonly proposal: Proposal;
}

export class MemberChanges {
  readonly #options: MemberChangesOptions;
  #waiting: WaitingChange[] = [];

  constructor(options: MemberChangesOptions) {
    this.#options = options;
  }

  /** Adds a member that will be found at `peerUrls`. Rejects with etcd's errors, as all of these do. */
  async add(peerUrls: readonly string[], isLearner: boolean): Promise<{ member: Member; members: Member[] }> {
    const { clock, sha1 } = this.#options;
    const id = computeMemberId(sha1, peerUrls, "", Math.floor(clock.wallMs() / 1000));
    const member: Member = { id, peerUrls, isLearner, name: "", clientUrls: [] };
    this.#checkStrictly("member add", id, (context) => checkAdd(context, isLearner));
    const type = isLearner ? ConfChangeType.addLearnerNode : ConfChangeType.addNode;
    return { member, members: await this.#configure(type, id, memberToJson(member)) };
  }

  async remove(id: MemberId): Promise<Member[]> {
    this.#checkStrictly("member remove", id, (context) => checkRemove(context, id));
    return this.#configure(ConfChangeType.removeNode, id, "");
  }

  async update(id: MemberId, peerUrls: readonly string[]): Promise<Member[]> {
    const member: Member = { id, peerUrls, isLearner: false, name: "", clientUrls: [] };
    return this.#configure(ConfChangeType.updateNode, id, memberToJson(member));
  }

  /** Makes a learner a voter. Only the leader knows whether it is ready, so the question goes there. */
  async promote(id: MemberId): Promise<Member[]> {
    const { leaderCalls, cluster, peers } = this.#options;
    const answers = [
      errors.learnerNotReady,
      errors.memberNotFound,
      errors.memberNotLearner,
      errors.memberNotEnoughStarted,
    ];
    return leaderCalls.ask(async (leader) => {
      return leader.id === cluster.localId ? this.promoteHere(id) : peers.promote(leader, id);
    }, answers);
  }

  /** The same on the leader. Rejects with ErrNotLeader elsewhere. */
  async promoteHere(id: MemberId): Promise<Member[]> {
    const { caughtUp, node, metrics } = this.#options;
    await caughtUp();
    if (node.role !== "leader") throw errors.notLeader();
    try {
      this.#checkReady(id);
      this.#checkStrictly("member promote", id, checkPromote);
      const promoted: Member = { id, peerUrls: [], isLearner: false, name: "", clientUrls: [] };
      const members = await this.#configure(ConfChangeType.addNode, id, memberToJson(promoted, true));
      metrics.learnersPromoted.inc();
      return members;
    } catch (error) {
      metrics.promotionFailed((error as Error).message);
      throw error;
    }
  }

  /** To be called in each tick, and when a leader is found or a change applied: proposes what waits. */
  retry(): void {
    if (this.#waiting.length > 0) this.#proposeWaiting();
  }

  #checkReady(id: MemberId): void {
    const { node, logger, cluster } = this.#options;
    const { progress } = node.status();
    const learner = progress.get(id);
    if (learner === undefined) throw errors.memberNotFound();
    const own = progress.get(cluster.localId);
    if (own === undefined || learner.match >= own.match * readyPart) return;
    logger.warn("rejecting promote learner: learner is not ready", {
      "member-id": formatId(id),
      "learner-ready-percent": learner.match / own.match,
      "ready-percent-threshold": readyPart,
    });
    throw errors.learnerNotReady();
  }

  #checkStrictly(
    what: string,
    id: MemberId,
    check: (context: { cluster: Cluster; peers: Peers; nowMs: number }) => void,
  ): void {
    const { strict, cluster, peers, clock, logger } = this.#options;
    if (!strict) return;
    try {
      check({ cluster, peers, nowMs: clock.monotonicMs() });
    } catch (error) {
      logger.warn(`rejecting ${what} request`, {
        "local-member-id": formatId(cluster.localId),
        "requested-member-id": formatId(id),
        error: (error as Error).message,
      });
      throw error;
    }
  }

  #configure(type: ConfChange["type"], nodeId: MemberId, context: string): Promise<Member[]> {
    const { proposals, clock } = this.#options;
    if (this.#waiting.length >= waitingMax) return Promise.reject(errors.tooManyRequests());
    return new Promise((resolve, reject) => {
      const done = (error: EtcdError | undefined, members: unknown) =>
        error ? reject(error) : resolve(members as Member[]);
      const { id, proposal } = proposals.register(0, undefined, clock.monotonicMs(), done);
      this.#waiting.push({ change: { id, type, nodeId, context: utf8(context) }, proposal });
      this.#proposeWaiting();
    });
  }

  #proposeWaiting(): void {
    const { node, proposals, process } = this.#options;
    while (this.#waiting.length > 0) {
      const { change, proposal } = this.#waiting[0]!;
      if (proposals.isPending(proposal)) {
        const refusal = node.proposeConfChange(change);
        if (
          refusal === "no leader" ||
          refusal === "transferring" ||
          refusal === "conf change not possible now"
        )
          break;
        if (refusal === undefined) proposal.sentTerm = node.term;
        else proposals.finish(proposal, errors.stopped());
      }
      this.#waiting.shift();
    }
    process();
  }
}
