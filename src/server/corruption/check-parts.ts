/** What the checks for differing members need of the server. */

import type { MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import type { RevisionHash } from "../../mvcc/types.ts";
import type { CompactionHash } from "./compaction-hashes.ts";
import type { PeerAnswer } from "./peer-hashes.ts";

export interface CheckParts {
  readonly localId: MemberId;
  readonly logger: Logger;
  /** How long a question to a member may take. */
  readonly timeoutMs: number;
  /** The hash of this member's data at its newest revision. */
  readonly hashNow: () => Promise<RevisionHash>;
  /** Of this member's last compactions, newest first. */
  readonly compactionHashes: () => readonly CompactionHash[];
  readonly askPeers: (revision: number) => Promise<readonly PeerAnswer[]>;
  /** Resolves when this member has applied all that was committed when it was called. */
  readonly linearize: () => Promise<void>;
  /** Raises CORRUPT for a member, through the log; for `noMember` when it cannot be told which. */
  readonly raiseAlarm: (id: MemberId) => void;
}
