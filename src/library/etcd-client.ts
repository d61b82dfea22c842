/** What a program does with a server: `kv`, `lease`, `watch`, `lock`, and `raw` for everything else. */
import { Client } from "../client/client.ts";
import type { GrpcRoutes } from "../transport/grpc.ts";
import { KeyValues } from "./kv.ts";
import { Leases } from "./leases.ts";
import { LocalChannel } from "./local-channel.ts";
import type { HeldLock, LockOptions } from "./lock.ts";
import type { Bytes } from "./text.ts";
import { Watcher, type WatchOptions } from "./watcher.ts";

export interface User {
  readonly name: string;
  readonly password: string;
}

export class EtcdClient {
  readonly kv: KeyValues;
  readonly lease: Leases;
  /** Every method of etcd's services: `raw.unary(cluster.memberList, {})`, with the tables of "etclite/methods". */
  readonly raw: Client;

  constructor(raw: Client) {
    this.raw = raw;
    this.kv = new KeyValues(raw);
    this.lease = new Leases(raw);
  }

  /** To a server in this process. */
  static inProcess(routes: GrpcRoutes, user: User | undefined): EtcdClient {
    return new EtcdClient(new Client({ endpoints: [], channel: new LocalChannel(routes), user }));
  }

  /** Resolves when the server watches. */
  watch(key: Bytes, options?: WatchOptions): Promise<Watcher> {
    return Watcher.open(this.raw, key, options);
  }

  /** Waits for a lock that one holder in the cluster has. Loaded when the first is wanted. */
  async lock(name: string, options: LockOptions = {}): Promise<HeldLock> {
    const { HeldLock } = await import("./lock.ts");
    return HeldLock.get(this.raw, name, options);
  }

  /** Ends all calls. */
  close(): void {
    this.raw.close();
  }
}
