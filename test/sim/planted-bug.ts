/** A bug put in on purpose: whoever checks must be seen to find it. The product has no switches for them. */
import type { EtcdServer } from "../../src/server/etcd-server.ts";
import type { Wal } from "../../src/wal/wal.ts";
import type { SimMember } from "./world/sim-member.ts";
import type { NodeClass } from "./world/sim-node.ts";

export interface PlantedBug {
  readonly name: string;
  readonly nodeClass?: NodeClass;
  readonly wrapWal?: (wal: Wal, member: SimMember) => Wal;
  readonly onServer?: (server: EtcdServer, member: SimMember) => void;
}
