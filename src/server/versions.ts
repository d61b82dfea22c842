/** Which etcd this is to everybody who asks, and which release of ours. */

/** The etcd that clients see. */
export const etcdVersion = "3.7.3";
/** The version that a cluster of such members speaks. */
export const clusterVersion = "3.7.0";
/** The layout of the data that a member of that version could read. */
export const storageVersion = "3.7.0";
