/**
 * The hashes of compactions: for each, what all versions up to its revision hash to, counted as if the compaction before
 * it had been the last, and taken before any version goes. Members compact at the same revisions, so these can be compared
 * at leisure, while hashes of now would have to be taken by everybody at the same revision.
 */
import type { Revision } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Steps } from "../../lib/steps.ts";
import type { RevisionHash } from "../../mvcc/types.ts";

/** The newest ones are kept, as in etcd. */
const hashesMax = 10;

/** One compaction that has been applied, and whose versions are still there. */
interface Scheduled {
  readonly revision: Revision;
  readonly previous: Revision;
}

export type CompactionHash = Omit<RevisionHash, "revision">;

export interface CompactionHashesOptions {
  readonly logger: Logger;
  /** The hash at a revision, as if `previous` were the compact revision. */
  readonly hash: (revision: Revision, previous: Revision) => Steps<RevisionHash>;
  /** Runs steps between everything else; rejects with what they throw. */
  readonly run: <T>(steps: Steps<T>) => Promise<T>;
}

export class CompactionHashes {
  readonly #options: CompactionHashesOptions;
  #scheduled: Scheduled[] = [];
  /** In order of revision. */
  #hashes: CompactionHash[] = [];

  constructor(options: CompactionHashesOptions) {
    this.#options = options;
  }

  /** A compaction was applied. It is hashed before its physical part begins. */
  scheduled(revision: Revision, previous: Revision): void {
    this.#scheduled.push({ revision, previous });
    // Older ones than will be kept need not be made.
    if (this.#scheduled.length > hashesMax) this.#scheduled.shift();
  }

  /** Newest first. */
  newestFirst(): readonly CompactionHash[] {
    return [...this.#hashes].reverse();
  }

  at(revision: number): CompactionHash | undefined {
    return this.#hashes.find(({ hashRevision }) => hashRevision === revision);
  }

  /**
   * Hashes all compactions up to `revision`; nothing may be removed meanwhile. One that was scheduled before a restart is
   * left out, for nobody knows which one came before it.
   */
  async make(revision: Revision, signal: { readonly aborted: boolean }): Promise<void> {
    const due = this.#scheduled.filter((compaction) => compaction.revision <= revision);
    this.#scheduled = this.#scheduled.filter((compaction) => compaction.revision > revision);
    for (const compaction of due) {
      const hash = await this.#options.run(
        untilAborted(this.#options.hash(compaction.revision, compaction.previous), signal),
      );
      if (hash === undefined) return;
      this.#store(hash);
    }
  }

  #store({ hash, hashRevision, compactRevision }: RevisionHash): void {
    this.#options.logger.info("storing new hash", {
      hash,
      revision: hashRevision,
      "compact-revision": compactRevision,
    });
    this.#hashes.push({ hash, hashRevision, compactRevision });
    this.#hashes.sort((a, b) => a.hashRevision - b.hashRevision);
    if (this.#hashes.length > hashesMax) this.#hashes.shift();
  }
}

function* untilAborted<T>(steps: Steps<T>, signal: { readonly aborted: boolean }): Steps<T | undefined> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (signal.aborted) {
      steps.return(undefined as T);
      return undefined;
    }
    yield undefined;
  }
}
