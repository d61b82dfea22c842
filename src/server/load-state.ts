/** Reads what a store keeps beside the keys into the parts that have it in memory. */
import { type AuthState, authBuckets } from "../auth/auth-state.ts";
import { type Lessor, leaseBucket } from "../lease/lessor.ts";
import type { Steps } from "../lib/steps.ts";
import { type Cluster, membershipBuckets } from "../membership/cluster.ts";
import type { KeyValueStore } from "../mvcc/types.ts";
import { type Alarms, alarmBucket } from "./alarms.ts";
import { detectDowngrade } from "./members/detect-downgrade.ts";

export interface LoadedParts {
  readonly cluster: Cluster;
  readonly alarms: Alarms;
  readonly lessor: Lessor;
  readonly auth: AuthState;
}

/** What was in them is gone. Throws a `BootstrapError` if the cluster is newer than this server. */
export function* loadState(store: Pick<KeyValueStore, "readMeta">, into: LoadedParts): Steps<void> {
  const { members, removed, cluster } = membershipBuckets;
  into.cluster.load(
    yield* store.readMeta(members),
    yield* store.readMeta(removed),
    yield* store.readMeta(cluster),
  );
  detectDowngrade(into.cluster.version);
  into.alarms.load(yield* store.readMeta(alarmBucket));
  into.auth.load(
    yield* store.readMeta(authBuckets.auth),
    yield* store.readMeta(authBuckets.users),
    yield* store.readMeta(authBuckets.roles),
  );
  yield* into.lessor.load(yield* store.readMeta(leaseBucket));
}
