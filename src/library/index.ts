/** What `import { Etcd } from "etclite"` gives. */
export { ClientError } from "../client/client-error.ts";
export { ConfigError } from "../config/config.ts";
export { Etcd, type EtcdOptions } from "./etcd.ts";
export { EtcdClient, type User } from "./etcd-client.ts";
export {
  type DeleteOptions,
  type GetOptions,
  type KeyRange,
  KeyValue,
  KeyValues,
  type ListOptions,
  type PutOptions,
} from "./kv.ts";
export { Leases } from "./leases.ts";
export type { HeldLock, LockOptions } from "./lock.ts";
export type { Bytes } from "./text.ts";
export { type WatchEvent, Watcher, type WatchOptions } from "./watcher.ts";
