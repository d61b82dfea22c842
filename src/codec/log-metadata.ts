/** etcdserverpb.Metadata: what stands at the head of a log, who wrote it and in which cluster. */
import type { ClusterId, MemberId } from "../lib/ids.ts";
import { Reader } from "./protowire-read.ts";
import { bigVarintSize, sealed, writeBigVarint } from "./protowire-write.ts";

export interface LogMetadata {
  readonly nodeId: MemberId;
  readonly clusterId: ClusterId;
}

/** As etcd does, zeros are written too. */
export function encodeLogMetadata({ nodeId, clusterId }: LogMetadata): Uint8Array {
  const buffer = new Uint8Array(2 + bigVarintSize(nodeId) + bigVarintSize(clusterId));
  buffer[0] = 0x08;
  const at = writeBigVarint(buffer, 1, nodeId);
  buffer[at] = 0x10;
  return sealed(buffer, writeBigVarint(buffer, at + 1, clusterId));
}

export function decodeLogMetadata(bytes: Uint8Array): LogMetadata {
  const reader = new Reader(bytes);
  let nodeId = 0n;
  let clusterId = 0n;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) nodeId = reader.bigUint();
    else if (tag === 0x10) clusterId = reader.bigUint();
    else reader.skip(tag);
  }
  return { nodeId: nodeId as MemberId, clusterId: clusterId as ClusterId };
}
