/** Which etcd this is to everybody who asks, and which release of ours. */

/** The etcd that clients see. */
export const etcdVersion = "3.7.3";
/** The version that a cluster of such members speaks. */
export const clusterVersion = "3.7.0";
/** The layout of the data that a member of that version could read. */
export const storageVersion = "3.7.0";
/** The one before it, which differs in nothing but the number: the data of a cluster that is being downgraded. */
const storageVersionBefore = "3.6.0";

/** The version of the data in a cluster of this version: a downgrade takes both down. */
export const storageVersionIn = (cluster: string | undefined): string =>
  cluster === storageVersionBefore ? storageVersionBefore : storageVersion;
