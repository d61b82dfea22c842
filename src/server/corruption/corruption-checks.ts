/** When a leader compares the members' data, and what follows when one differs. */

import { BackendCorruptError } from "../../backend/errors.ts";
import { create, toBinary } from "../../codec/messages.ts";
import { raftField } from "../../codec/raft-internal.ts";
import {
  AlarmRequest_AlarmAction,
  AlarmRequestSchema,
  AlarmType,
} from "../../gen/tables/etcdserverpb/rpc.ts";
import type { Timer } from "../../lib/clock.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import { formatId } from "../../membership/member.ts";
import type { RevisionHash } from "../../mvcc/types.ts";
import type { ProposedRequest } from "../proposer.ts";
import { type EtcdServerParts, requestTimeoutMs } from "../server-parts.ts";
import type { CheckParts } from "./check-parts.ts";
import { CompactHashCheck } from "./compact-hash-check.ts";
import type { CompactionHash } from "./compaction-hashes.ts";
import { initialCheck } from "./initial-check.ts";
import { askPeerHashes } from "./peer-hashes.ts";
import { periodicCheck } from "./periodic-check.ts";

export interface CorruptionSettings {
  /** `--corrupt-check-time`; 0: never. */
  readonly checkMs: number;
  /** `--compact-hash-check-time`; 0 without the feature gate CompactHashCheck. */
  readonly compactHashCheckMs: number;
}

export interface CorruptionChecksOptions {
  readonly parts: EtcdServerParts;
  readonly isLeader: () => boolean;
  readonly hash: () => Steps<RevisionHash>;
  readonly run: <T>(steps: Steps<T>) => Promise<T>;
  readonly compactionHashes: () => readonly CompactionHash[];
  readonly linearize: () => Promise<void>;
  /** Puts a request through the log; nobody waits for it. */
  readonly propose: (request: ProposedRequest) => void;
}

export class CorruptionChecks {
  readonly #options: CorruptionChecksOptions;
  readonly #check: CheckParts;
  readonly #timers = new Set<Timer>();
  #stopped = false;

  constructor(options: CorruptionChecksOptions) {
    this.#options = options;
    const { cluster, peers, logger, settings } = options.parts;
    const log = logger.at("server/corruption/corruption-checks.ts");
    this.#check = {
      localId: cluster.localId,
      logger: log,
      timeoutMs: requestTimeoutMs(settings),
      hashNow: () => options.run(this.watched(options.hash())),
      compactionHashes: options.compactionHashes,
      askPeers: (revision) => askPeerHashes({ cluster, peers, logger: log }, revision),
      linearize: options.linearize,
      raiseAlarm: (id) => this.#raise(id),
    };
  }

  /** To be called before anything is served. Rejects with a BootstrapError. */
  initial(): Promise<void> {
    return initialCheck(this.#check);
  }

  /**
   * A hash that is being made. If what it reads turns out to be damaged, this member raises the alarm for itself: there is no
   * need to wait until somebody else finds another hash.
   */
  *watched<T>(hash: Steps<T>): Steps<T> {
    try {
      return yield* hash;
    } catch (error) {
      if (error instanceof BackendCorruptError) {
        this.#check.logger.error("found damaged data while hashing", { error: error.message });
        this.#raise(this.#check.localId);
      }
      throw error;
    }
  }

  start(): void {
    const { logger } = this.#check;
    const { checkMs = 0, compactHashCheckMs = 0 } = this.#options.parts.settings.corruption ?? {};
    if (checkMs > 0) {
      logger.info("enabled corruption checking", {
        "local-member-id": formatId(this.#check.localId),
        interval: formatGoDuration(checkMs),
      });
      this.#every(checkMs, () => periodicCheck(this.#check));
    }
    const compactions = new CompactHashCheck(this.#check);
    if (compactHashCheckMs > 0) this.#every(compactHashCheckMs, () => compactions.run());
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  /** The next one is due so long after the last one ended: a check of much data may take longer than that. */
  #every(ms: number, check: () => Promise<void>): void {
    const timer = this.#options.parts.clock.after(ms, () => {
      this.#timers.delete(timer);
      void this.#attempt(check).then(() => {
        if (!this.#stopped) this.#every(ms, check);
      });
    });
    this.#timers.add(timer);
  }

  async #attempt(check: () => Promise<void>): Promise<void> {
    if (!this.#options.isLeader()) return;
    try {
      await check();
    } catch (error) {
      if (!this.#stopped)
        this.#check.logger.warn("failed to check hash KV", { error: (error as Error).message });
    }
  }

  #raise(memberID: MemberId): void {
    if (this.#stopped) return;
    const action = AlarmRequest_AlarmAction.ACTIVATE;
    const request = create(AlarmRequestSchema, { memberID, action, alarm: AlarmType.CORRUPT });
    this.#options.propose({ field: raftField.alarm, bytes: toBinary(AlarmRequestSchema, request), request });
  }
}
