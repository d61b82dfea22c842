/** What applying an entry may touch. */
import type { EtcdError } from "../../errors/etcd-error.ts";
import type { Lessor } from "../../lease/lessor.ts";
import type { LeaseId, Revision, Term } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import type { ConfState } from "../../lib/raft-entry.ts";
import type { Steps } from "../../lib/steps.ts";
import type { Cluster } from "../../membership/cluster.ts";
import type { KeyValueStore } from "../../mvcc/types.ts";
import type { ConfChange, ConfChangeV2 } from "../../raft/confchange/types.ts";
import type { Alarms } from "../alarms.ts";
import type { Authentication } from "../auth/authentication.ts";
import type { Proposals } from "../proposal.ts";

export interface ApplyContext {
  /** The one in use; another one after a leader's snapshot was installed. */
  store: KeyValueStore;
  readonly lessor: Lessor;
  readonly alarms: Alarms;
  readonly auth: Authentication;
  readonly cluster: Cluster;
  readonly proposals: Proposals;
  readonly logger: Logger;
  /** The leader's clock when it appended is not in the entry; leases count from when they are applied, in local time. */
  readonly monotonicMs: () => number;
  /** False when a request (its field, and what it means) would take the store past its quota: it is applied all the same,
   * as on members that have space, and answered with ErrNoSpace. */
  readonly hasSpaceFor: (field: number, request: unknown) => boolean;
  /** Such a request was applied, and there is no alarm yet: raises one, and calls back then. */
  readonly onNoSpace: (then: () => void) => void;
  /** Tells Raft of an applied configuration change. */
  readonly applyConfChange: (change: ConfChange | ConfChangeV2) => ConfState;
  /** A member was added, changed or removed. */
  readonly onMembershipChange: () => void;
  /** An entry without data: a leader's first of its term. */
  readonly onLeaderEntry: (term: Term) => void;
  /** A compaction was applied; versions are still there. */
  readonly onCompaction: (revision: Revision, previous: Revision) => void;
  readonly onLeaseRevoked: (id: LeaseId) => void;
  /** For metrics: a request, and what became of it. */
  readonly onApplied: (
    field: number,
    request: unknown,
    error: EtcdError | undefined,
    result: unknown,
  ) => void;
}

/**
 * How an apply ended, or the steps that are left of it. An `error` here is told to the client after the effect; one that
 * is thrown means that there was no effect. `instead` is such an error for when the steps are done.
 */
export type Outcome =
  | { readonly result: unknown }
  | { readonly error: EtcdError }
  | { readonly steps: Steps<unknown>; readonly instead?: EtcdError | undefined };
