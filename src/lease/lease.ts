/** One lease, as the lessor keeps it. */
import type { LeaseId } from "../lib/ids.ts";
import type { HeapEntry } from "./deadline-heap.ts";

export interface Lease {
  readonly id: LeaseId;
  /** As granted. */
  readonly ttlSeconds: number;
  /** From the last checkpoint in the log; 0 when there is none, and so the lease has its full time. */
  remainingTtlSeconds: number;

  // The rest is the leader's, and means something only in the reign that it was written in.
  reign: number;
  deadlineMs: number;
  expiry: HeapEntry<Lease> | undefined;
  /** When the log should next hear how much time is left; the entry is missing when too little is. */
  nextCheckpointMs: number;
  checkpoint: HeapEntry<Lease> | undefined;
  /** A checkpoint was handed out that is not applied yet. */
  checkpointOut: boolean;
  /** It was renewed, and a checkpoint of 0 is on its way that will say so in the log. */
  clearing: boolean;
}

export function makeLease(id: LeaseId, ttlSeconds: number, remainingTtlSeconds: number): Lease {
  return {
    id,
    ttlSeconds,
    remainingTtlSeconds,
    reign: 0,
    deadlineMs: 0,
    expiry: undefined,
    nextCheckpointMs: 0,
    checkpoint: undefined,
    checkpointOut: false,
    clearing: false,
  };
}
