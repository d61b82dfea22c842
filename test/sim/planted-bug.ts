/** A bug put in on purpose: whoever checks must be seen to find it. The product has no switches for them. */
import type { EtcdServer } from "../../src/server/etcd-server.ts";
import type { Wal } from "../../src/wal/wal.ts";
import type { FaultKind } from "./faults.ts";
import type { SimMember } from "./world/sim-member.ts";
import type { NodeClass } from "./world/sim-node.ts";

export interface PlantedBug {
  readonly name: string;
  /** What has to go wrong for it to be seen. */
  readonly faults: readonly FaultKind[];
  /** How it shows. */
  readonly found: RegExp;
  /** Where to begin to look: with a seed that shows it soon. */
  readonly firstSeed?: number;
  readonly nodeClass?: NodeClass;
  readonly wrapWal?: (wal: Wal, member: SimMember) => Wal;
  readonly onServer?: (server: EtcdServer, member: SimMember) => void;
}
