/** The header of an answer that is made as a generated message. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ResponseHeaderSchema } from "../gen/etcdserverpb/rpc_pb.ts";
import type { ClusterSource } from "./rpc-server.ts";

export function responseHeader(
  server: ClusterSource,
  revision?: number,
): MessageInitShape<typeof ResponseHeaderSchema> {
  return {
    clusterId: server.cluster.id,
    memberId: server.cluster.localId,
    revision: BigInt(revision ?? server.store.revision),
    raftTerm: BigInt(server.raftStatus().term),
  };
}
