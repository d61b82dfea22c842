/** `import … from "etclite/methods"`: every method of etcd's services, for `client.raw`. */
export * as auth from "../client/methods/auth.ts";
export * as cluster from "../client/methods/cluster.ts";
export * as explore from "../client/methods/explore.ts";
export * as kv from "../client/methods/kv.ts";
export * as lease from "../client/methods/lease.ts";
export * as maintenance from "../client/methods/maintenance.ts";
export * as watch from "../client/methods/watch.ts";
