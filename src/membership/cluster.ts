/**
 * Who is in the cluster: changed only by applied entries, the same on all members. Says what has to be kept durably for
 * each change and leaves the keeping to whoever applies.
 */
import type { MetaChange } from "../backend/backend.ts";
import { errors } from "../errors/table.ts";
import type { ClusterId, MemberId } from "../lib/ids.ts";
import { compareIds, formatId, fromUtf8, type Member, memberFromJson, memberToJson, utf8 } from "./member.ts";

/** raftpb.ConfChangeType. */
export const ConfChangeType = { addNode: 0, removeNode: 1, updateNode: 2, addLearnerNode: 3 } as const;

/** One change of the membership, as it stands in an entry: raftpb.ConfChange with its context read. */
export interface MemberChange {
  readonly type: number;
  readonly nodeId: MemberId;
  /** The member's JSON: all of it for an added one, its peer URLs for an updated one. */
  readonly context: string;
}

/** The names of etcd's buckets and keys for membership. */
export const membershipBuckets = {
  members: "members",
  removed: "members_removed",
  cluster: "cluster",
  clusterVersionKey: "clusterVersion",
  downgradeKey: "downgrade",
} as const;

export interface DowngradeInfo {
  readonly enabled: boolean;
  readonly targetVersion: string;
}

export class Cluster {
  readonly id: ClusterId;
  readonly localId: MemberId;
  readonly #maxLearners: number;
  readonly #members = new Map<MemberId, Member>();
  readonly #removed = new Set<MemberId>();
  #version: string | undefined;
  #downgrade: DowngradeInfo = { enabled: false, targetVersion: "" };

  constructor(id: ClusterId, localId: MemberId, maxLearners: number) {
    this.id = id;
    this.localId = localId;
    this.#maxLearners = maxLearners;
  }

  /** Takes over what was stored: the rows of the three buckets. */
  load(
    members: Map<string, Uint8Array>,
    removed: Map<string, Uint8Array>,
    cluster: Map<string, Uint8Array>,
  ): void {
    this.#members.clear();
    this.#removed.clear();
    for (const [key, value] of members) {
      const id = BigInt(`0x${key}`) as MemberId;
      this.#members.set(id, memberFromJson(id, fromUtf8(value)));
    }
    for (const key of removed.keys()) this.#removed.add(BigInt(`0x${key}`) as MemberId);
    const version = cluster.get(membershipBuckets.clusterVersionKey);
    this.#version = version && fromUtf8(version);
    const downgrade = cluster.get(membershipBuckets.downgradeKey);
    this.#downgrade = { enabled: false, targetVersion: "" };
    if (downgrade) {
      const fields = JSON.parse(fromUtf8(downgrade)) as Record<string, unknown>;
      this.#downgrade = {
        enabled: fields["enabled"] === true,
        targetVersion: String(fields["target-version"] ?? ""),
      };
    }
  }

  /** All members in order of id. */
  members(): Member[] {
    return [...this.#members.values()].sort((a, b) => compareIds(a.id, b.id));
  }

  member(id: MemberId): Member | undefined {
    return this.#members.get(id);
  }

  isRemoved(id: MemberId): boolean {
    return this.#removed.has(id);
  }

  /** Whether this member is one that does not vote. */
  get isLearner(): boolean {
    return this.#members.get(this.localId)?.isLearner ?? false;
  }

  /** The version that the whole cluster speaks ("3.7.0"), undefined until the first leader decided. */
  get version(): string | undefined {
    return this.#version;
  }

  get downgrade(): DowngradeInfo {
    return this.#downgrade;
  }

  /** Throws etcd's error if `change` does not fit the members there are. */
  validate(change: MemberChange): void {
    const { nodeId } = change;
    if (this.#removed.has(nodeId)) throw errors.memberNotFound();
    switch (change.type) {
      case ConfChangeType.addNode:
      case ConfChangeType.addLearnerNode:
        this.#validateAdd(change);
        return;
      case ConfChangeType.removeNode:
        if (!this.#members.has(nodeId)) throw errors.memberNotFound();
        // Without voters nothing is ever committed again. (An etcd without --strict-reconfig-check ends here.)
        if (this.#isLastVoter(nodeId)) throw errors.memberNotEnoughStarted();
        return;
      case ConfChangeType.updateNode: {
        if (!this.#members.has(nodeId)) throw errors.memberNotFound();
        this.#refuseTakenUrls(memberFromJson(nodeId, change.context).peerUrls, nodeId);
        return;
      }
      default:
        throw new Error(`unknown type ${change.type} of a configuration change`);
    }
  }

  #isLastVoter(id: MemberId): boolean {
    const voters = [...this.#members.values()].filter(({ isLearner }) => !isLearner);
    return voters.length === 1 && voters[0]?.id === id;
  }

  #validateAdd(change: MemberChange): void {
    const known = this.#members.get(change.nodeId);
    const wanted = memberFromJson(change.nodeId, change.context);
    if (wanted.isPromote) {
      if (!known) throw errors.memberNotFound();
      if (!known.isLearner) throw errors.memberNotLearner();
      return;
    }
    if (known) throw errors.memberExist();
    this.#refuseTakenUrls(wanted.peerUrls, change.nodeId);
    if (change.type === ConfChangeType.addLearnerNode && wanted.isLearner) {
      const learners = [...this.#members.values()].filter((member) => member.isLearner).length;
      if (learners + 1 > this.#maxLearners) throw errors.tooManyLearners();
    }
  }

  #refuseTakenUrls(urls: readonly string[], besides: MemberId): void {
    for (const member of this.#members.values()) {
      if (member.id !== besides && member.peerUrls.some((url) => urls.includes(url)))
        throw errors.peerUrlExist();
    }
  }

  /** Carries out a change that `validate` accepts and returns what must be stored for it. */
  apply(change: MemberChange): MetaChange[] {
    const { nodeId } = change;
    switch (change.type) {
      case ConfChangeType.addNode:
      case ConfChangeType.addLearnerNode: {
        const { isPromote, ...wanted } = memberFromJson(nodeId, change.context);
        return this.#save(isPromote ? { ...this.#mustMember(nodeId), isLearner: false } : wanted);
      }
      case ConfChangeType.removeNode: {
        this.#members.delete(nodeId);
        this.#removed.add(nodeId);
        const key = formatId(nodeId);
        return [
          { bucket: membershipBuckets.members, key, value: undefined },
          { bucket: membershipBuckets.removed, key, value: utf8("removed") },
        ];
      }
      case ConfChangeType.updateNode: {
        const { peerUrls } = memberFromJson(nodeId, change.context);
        return this.#save({ ...this.#mustMember(nodeId), peerUrls });
      }
      default:
        throw new Error(`unknown type ${change.type} of a configuration change`);
    }
  }

  /** A member tells its name and client URLs. One that is gone or unknown is ignored, as in etcd. */
  applyAttributes(id: MemberId, name: string, clientUrls: readonly string[]): MetaChange[] {
    const member = this.#members.get(id);
    return member ? this.#save({ ...member, name, clientUrls }) : [];
  }

  applyVersion(version: string): MetaChange[] {
    this.#version = version;
    const { cluster, clusterVersionKey } = membershipBuckets;
    return [{ bucket: cluster, key: clusterVersionKey, value: utf8(version) }];
  }

  applyDowngrade(downgrade: DowngradeInfo): MetaChange[] {
    this.#downgrade = downgrade;
    const { cluster, downgradeKey } = membershipBuckets;
    const json = JSON.stringify({ "target-version": downgrade.targetVersion, enabled: downgrade.enabled });
    return [{ bucket: cluster, key: downgradeKey, value: utf8(json) }];
  }

  #save(member: Member): MetaChange[] {
    this.#members.set(member.id, member);
    const { members } = membershipBuckets;
    return [{ bucket: members, key: formatId(member.id), value: utf8(memberToJson(member)) }];
  }

  #mustMember(id: MemberId): Member {
    const member = this.#members.get(id);
    if (!member) throw new Error(`member ${formatId(id)} is not in the cluster: apply without validate`);
    return member;
  }
}
