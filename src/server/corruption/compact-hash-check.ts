/**
 * The leader compares the hashes that the members have kept of a compaction (CompactHashCheck). With a majority of one
 * hash the others are corrupt; without, nobody can tell who is, and the alarm names nobody.
 */
import { formatGoDuration } from "../../lib/go-duration.ts";
import { type MemberId, noMember, type Revision } from "../../lib/ids.ts";
import { compareIds, formatId } from "../../membership/member.ts";
import type { CheckParts } from "./check-parts.ts";
import type { CompactionHash } from "./compaction-hashes.ts";
import type { PeerAnswer } from "./peer-hashes.ts";

export class CompactHashCheck {
  readonly #parts: CheckParts;
  /** Up to here all members agree. */
  #checked = 0 as Revision;

  constructor(parts: CheckParts) {
    this.#parts = parts;
  }

  /** Goes back from the newest compaction to the newest one that all members have a hash of. */
  async run(): Promise<void> {
    const { logger, localId, timeoutMs } = this.#parts;
    const ids = { "local-member-id": formatId(localId), timeout: formatGoDuration(timeoutMs) };
    logger.info("starting compact hash check", ids);
    let count = 0;
    for (const hash of this.#parts.compactionHashes()) {
      if (hash.hashRevision <= this.#checked) break;
      count++;
      const answers = await this.#parts.askPeers(hash.hashRevision);
      if (answers.length > 0 && this.#settle(hash, answers)) break;
    }
    logger.info("finished compaction hash check", { "number-of-hashes-checked": count });
  }

  /** Whether older hashes need no look: all members were compared, or an alarm was raised. */
  #settle(hash: CompactionHash, answers: readonly PeerAnswer[]): boolean {
    const compared = answers.filter((answer) => this.#isComparable(hash, answer, answers.length));
    const membersByHash = new Map<number, MemberId[]>([[hash.hash, [this.#parts.localId]]]);
    for (const { member, hash: remote } of compared) {
      const same = membersByHash.get(remote!.hash);
      if (same) same.push(member.id);
      else membersByHash.set(remote!.hash, [member.id]);
    }
    if (membersByHash.size === 1) return this.#agreed(hash, compared.length, answers.length);
    this.#disagreed(hash, membersByHash, answers.length + 1);
    return true;
  }

  #isComparable(hash: CompactionHash, { member, hash: remote }: PeerAnswer, peers: number): boolean {
    if (remote?.compactRevision === hash.compactRevision) return true;
    this.#parts.logger.warn("Skipped peer's hash", {
      "number-of-peers": peers,
      "leader-id": formatId(this.#parts.localId),
      "peer-id": formatId(member.id),
      reason:
        remote === undefined
          ? "no response"
          : `the peer's CompactRevision ${remote.compactRevision} doesn't match leader's CompactRevision ${hash.compactRevision}`,
    });
    return false;
  }

  #agreed({ hashRevision, compactRevision }: CompactionHash, compared: number, peers: number): boolean {
    const { logger } = this.#parts;
    const fields = { revision: hashRevision, compactRevision };
    if (compared === peers) {
      logger.info("successfully checked hash on whole cluster", {
        "number-of-peers-checked": compared,
        ...fields,
      });
      this.#checked = hashRevision;
      return true;
    }
    logger.warn("skipped revision in compaction hash check; was not able to check all peers", {
      "number-of-peers-checked": compared,
      "number-of-peers": peers,
      ...fields,
    });
    return false;
  }

  #disagreed(hash: CompactionHash, membersByHash: Map<number, MemberId[]>, members: number): void {
    const { logger, localId, raiseAlarm } = this.#parts;
    const leader = {
      "leader-id": formatId(localId),
      "leader-revision": hash.hashRevision,
      "leader-compact-revision": hash.compactRevision,
      "leader-hash": hash.hash,
    };
    const quorum = Math.floor(members / 2) + 1;
    const majority = [...membersByHash].find(([, ids]) => ids.length >= quorum)?.[0];
    if (majority === undefined) {
      logger.error(
        "Detected compaction hash mismatch but cannot identify the corrupted members, so intentionally set the memberID as 0",
        leader,
      );
      raiseAlarm(noMember);
    }
    for (const [value, ids] of membersByHash) {
      if (value === majority) continue;
      if (majority !== undefined) for (const id of ids) raiseAlarm(id);
      logger.error("Detected compaction hash mismatch", {
        ...leader,
        "peer-hash": value,
        "peer-ids": ids.sort(compareIds).map(formatId).join(","),
        "quorum-exist": majority !== undefined,
      });
    }
  }
}
