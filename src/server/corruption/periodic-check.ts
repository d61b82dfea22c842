/** The leader compares all data of the members as they are now (`--corrupt-check-time`). */
import type { MemberId } from "../../lib/ids.ts";
import { formatId } from "../../membership/member.ts";
import type { RevisionHash } from "../../mvcc/types.ts";
import type { CheckParts } from "./check-parts.ts";
import type { PeerAnswer } from "./peer-hashes.ts";

/** Rejects when this member's own data cannot be read, or it does not hear from a quorum. At most one alarm is raised. */
export async function periodicCheck(parts: CheckParts): Promise<void> {
  const { logger } = parts;
  const before = await parts.hashNow();
  const answers = await parts.askPeers(before.hashRevision);
  // What followers have, this member has too from here on, if it is a prefix of one and the same log.
  await parts.linearize();
  const after = await parts.hashNow();
  let alarmed = false;
  const alarm = (id: MemberId) => {
    if (!alarmed) parts.raiseAlarm(id);
    alarmed = true;
  };
  const sameState =
    before.hashRevision === after.hashRevision && before.compactRevision === after.compactRevision;
  if (sameState && before.hash !== after.hash) {
    logger.warn("found hash mismatch", {
      "revision-1": before.hashRevision,
      "compact-revision-1": before.compactRevision,
      "hash-1": before.hash,
      "revision-2": after.hashRevision,
      "compact-revision-2": after.compactRevision,
      "hash-2": after.hash,
    });
    alarm(parts.localId);
  }
  const answered = answers.filter(({ hash }) => hash !== undefined);
  for (const answer of answered) if (isWrong(parts, answer, before, after)) alarm(answer.member.id);
  logger.info("finished peer corruption check", { "number-of-peers-checked": answered.length });
}

function isWrong(
  { logger }: CheckParts,
  { member, hash: remote }: PeerAnswer,
  before: RevisionHash,
  after: RevisionHash,
): boolean {
  if (remote === undefined) return false;
  const follower = { "follower-peer-id": formatId(member.id) };
  let wrong = false;
  if (remote.revision > after.revision) {
    wrong = true;
    logger.warn("revision from follower must be less than or equal to leader's", {
      "leader-revision": after.revision,
      "follower-revision": remote.revision,
      ...follower,
    });
  }
  if (remote.compactRevision > after.compactRevision) {
    wrong = true;
    logger.warn("compact revision from follower must be less than or equal to leader's", {
      "leader-compact-revision": after.compactRevision,
      "follower-compact-revision": remote.compactRevision,
      ...follower,
    });
  }
  if (remote.compactRevision === before.compactRevision && remote.hash !== before.hash) {
    wrong = true;
    logger.warn("same compact revision then hashes must match", {
      "leader-compact-revision": after.compactRevision,
      "leader-hash": before.hash,
      "follower-compact-revision": remote.compactRevision,
      "follower-hash": remote.hash,
      ...follower,
    });
  }
  return wrong;
}
