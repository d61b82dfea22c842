/**
 * Compaction that nobody has to ask for: `--auto-compaction-mode` and `--auto-compaction-retention`. Only the leader
 * acts; the others keep recording, so that a new leader knows at once what is old enough.
 */

import { EtcdError } from "../../errors/etcd-error.ts";
import { errors } from "../../errors/table.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import type { LogFields, Logger } from "../../lib/logger.ts";

export interface AutoCompactorOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The newest revision. */
  readonly revision: () => number;
  readonly isLeader: () => boolean;
  /** Compacts through the log. */
  readonly compact: (revision: number) => Promise<void>;
}

export interface AutoCompactor {
  stop(): void;
}

const hourMs = 3_600_000;
/** Revisions are recorded, and failures tried again, this many times in a compaction interval. */
const recordsPerInterval = 10;
const revisionIntervalMs = 5 * 60_000;

/** Keeps what is younger than `retentionMs`. Compacts at most once an hour. */
export function startPeriodicCompactor(options: AutoCompactorOptions, retentionMs: number): AutoCompactor {
  const { clock, logger } = options;
  const intervalMs = Math.min(retentionMs, hourMs);
  const recordMs = intervalMs / recordsPerInterval;
  const recordsKept = Math.floor(retentionMs / recordMs) + 1;
  const records = [options.revision()];
  const rounds = new Rounds(clock, recordMs);
  let lastRevision = 0;
  let dueAtMs = clock.monotonicMs() + retentionMs;

  rounds.start(async () => {
    const oldest = records[0]!;
    if (clock.monotonicMs() >= dueAtMs && oldest !== lastRevision && options.isLeader()) {
      const fields = { revision: oldest, "compact-period": `${retentionMs / 1000}s` };
      if (await tryCompact(options, "periodic", oldest, fields)) {
        lastRevision = oldest;
        dueAtMs = clock.monotonicMs() + intervalMs;
      }
    }
    records.push(options.revision());
    if (records.length > recordsKept) records.shift();
  });
  logger.info("enabled auto-compaction", {
    "auto-compaction-mode": "periodic",
    "auto-compaction-retention": `${retentionMs / 1000}s`,
  });
  return rounds;
}

/** Keeps the newest `retention` revisions. Looks every five minutes. */
export function startRevisionCompactor(options: AutoCompactorOptions, retention: number): AutoCompactor {
  const rounds = new Rounds(options.clock, revisionIntervalMs);
  let lastRevision = 0;
  rounds.start(async () => {
    const revision = options.revision() - retention;
    if (revision <= 0 || revision === lastRevision || !options.isLeader()) return;
    const fields = { revision, "revision-compaction-retention": retention };
    if (await tryCompact(options, "revision", revision, fields)) lastRevision = revision;
  });
  options.logger.info("enabled auto-compaction", {
    "auto-compaction-mode": "revision",
    "auto-compaction-retention": retention,
  });
  return rounds;
}

/** True when `revision` is compacted, by this call or an earlier one. */
async function tryCompact(
  { logger, clock, compact }: AutoCompactorOptions,
  mode: string,
  revision: number,
  fields: LogFields,
): Promise<boolean> {
  logger.info(`starting auto ${mode} compaction`, fields);
  const startMs = clock.monotonicMs();
  try {
    await compact(revision);
  } catch (error) {
    const { message } = EtcdError.from(error);
    if (message !== errors.compacted().message) {
      logger.warn(`failed auto ${mode} compaction`, { ...fields, error: message });
      return false;
    }
  }
  logger.info(`completed auto ${mode} compaction`, {
    ...fields,
    took: formatGoDuration(clock.monotonicMs() - startMs),
  });
  return true;
}

/** Calls a function again and again, each time so long after the last call has ended. */
class Rounds implements AutoCompactor {
  readonly #clock: Clock;
  readonly #delayMs: number;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  start(round: () => Promise<void>): void {
    this.#timer = this.#clock.after(this.#delayMs, () => {
      round().then(() => {
        if (!this.#stopped) this.start(round);
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }
}
