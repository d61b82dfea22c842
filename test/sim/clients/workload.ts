/** What all simulated clients have in common: the world, what they write down, and how they choose. */
import type { Prng } from "../../../src/lib/prng.ts";
import type { History } from "../../support/linearizability/history.ts";
import type { AnswersCheck } from "../check/answers-check.ts";
import type { LeaseCheck } from "../check/lease-check.ts";
import type { Truth } from "../check/truth.ts";
import type { SimCluster } from "../world/sim-cluster.ts";
import type { SimMember } from "../world/sim-member.ts";
import type { ClientNetwork } from "./client-network.ts";

export interface Workload {
  readonly cluster: SimCluster;
  readonly network: ClientNetwork;
  readonly random: Prng;
  readonly truth: Truth;
  readonly history: History;
  readonly answers: AnswersCheck;
  readonly leases: LeaseCheck;
  /** Ends the simulation: a promise was broken. */
  readonly fail: (error: unknown) => void;
  /** Clients begin nothing new. */
  readonly isOver: () => boolean;
  /** The average pause between two calls of a client. */
  readonly pauseMs: number;
  readonly counts: WorkloadCounts;
}

export interface WorkloadCounts {
  answered: number;
  failed: number;
  unknown: number;
}

/** A member that a client may try: most are up, some are not. */
export function anyMember({ cluster, random }: Workload): SimMember {
  const up = cluster.members.filter(({ isUp }) => isUp);
  return up.length > 0 && random.chance(0.95) ? random.pick(up) : random.pick(cluster.members);
}

export function pause({ cluster, random, pauseMs }: Workload): Promise<void> {
  return new Promise((resolve) => cluster.events.after(random.float() * 2 * pauseMs, resolve));
}

/** Runs a client until the workload is over. What it throws ends the simulation. */
export function runClient(workload: Workload, step: () => Promise<void>): void {
  const run = async () => {
    while (!workload.isOver()) {
      await pause(workload);
      if (!workload.isOver()) await step();
    }
  };
  run().catch((error: unknown) => workload.fail(error));
}

const encoder = new TextEncoder();
export const bytesOf = (text: string): Uint8Array => encoder.encode(text);
