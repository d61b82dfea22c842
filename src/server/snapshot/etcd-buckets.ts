/** The buckets of etcd's database file, and the rows of "meta" that say how far the data reaches. */

import { leaseBucket } from "../../lease/lessor.ts";
import { membershipBuckets } from "../../membership/cluster.ts";
import { metaBucket } from "../../membership/conf-state-row.ts";
import { alarmBucket } from "../alarms.ts";

/** The history of all keys. */
export const keyBucket = "key";

/** The others, whose rows our store keeps as they are. */
export const plainBuckets: readonly string[] = [
  alarmBucket,
  "auth",
  "authRoles",
  "authUsers",
  membershipBuckets.cluster,
  leaseBucket,
  membershipBuckets.members,
  membershipBuckets.removed,
  metaBucket,
];

/** etcd makes all of them at its first start. In order of their names, as the file wants them. */
export const allBuckets: readonly string[] = [...plainBuckets, keyBucket].sort();

/** Rows of "meta" that our store has as its position, not as rows. */
export const positionKeys = {
  index: "consistent_index",
  term: "term",
  scheduledCompaction: "scheduledCompactRev",
  finishedCompaction: "finishedCompactRev",
  storageVersion: "storageVersion",
} as const;
