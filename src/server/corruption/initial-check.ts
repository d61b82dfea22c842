/** Before a member that was stopped serves anybody: its data is compared with the others', at the revision it is at. */
import { errors } from "../../errors/table.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import type { LogFields } from "../../lib/logger.ts";
import { formatId } from "../../membership/member.ts";
import type { RevisionHash } from "../../mvcc/types.ts";
import { BootstrapError } from "../bootstrap-error.ts";
import type { CheckParts } from "./check-parts.ts";
import type { PeerAnswer } from "./peer-hashes.ts";

/** etcd's words for why a member could not be compared with. */
const skipped: Readonly<Record<string, string>> = {
  [errors.futureRev.text]: "cannot fetch hash from slow remote peer",
  [errors.compacted.text]: "cannot fetch hash from remote peer; local member is behind",
  [errors.clusterIdMismatch.text]: "cluster ID mismatch",
};

/**
 * Rejects with a BootstrapError if another member has other data at the same revision and compact revision. Members that
 * cannot be compared with are passed over: a whole cluster must be able to start.
 */
export async function initialCheck(parts: CheckParts): Promise<void> {
  const { localId, logger, timeoutMs } = parts;
  const id = formatId(localId);
  logger.info("starting initial corruption check", {
    "local-member-id": id,
    timeout: formatGoDuration(timeoutMs),
  });
  let local: RevisionHash;
  try {
    local = await parts.hashNow();
  } catch (cause) {
    throw new BootstrapError(`${id} failed to fetch hash (${(cause as Error).message})`);
  }
  let differing = 0;
  for (const answer of await parts.askPeers(local.hashRevision)) {
    if (differs(parts, local, answer)) differing++;
  }
  if (differing > 0) throw new BootstrapError(`${id} found data inconsistency with peers`);
  logger.info("initial corruption checking passed; no corruption", { "local-member-id": id });
}

function differs({ localId, logger }: CheckParts, local: RevisionHash, answer: PeerAnswer): boolean {
  const { member, hash: remote, error } = answer;
  const fields: LogFields = {
    "local-member-id": formatId(localId),
    "local-member-revision": local.hashRevision,
    "local-member-compact-revision": local.compactRevision,
    "local-member-hash": local.hash,
    "remote-peer-id": formatId(member.id),
    "remote-peer-endpoints": member.peerUrls,
  };
  if (remote === undefined) {
    const why = skipped[error?.message ?? ""];
    if (why !== undefined) logger.warn(why, { ...fields, error: error!.message });
    return false;
  }
  if (remote.hash === local.hash) return false;
  const both: LogFields = {
    ...fields,
    "remote-peer-revision": remote.revision,
    "remote-peer-compact-revision": remote.compactRevision,
    "remote-peer-hash": remote.hash,
  };
  if (remote.compactRevision === local.compactRevision) {
    logger.warn("found different hash values from remote peer", both);
    return true;
  }
  logger.warn("found different compact revision values from remote peer", both);
  return false;
}
