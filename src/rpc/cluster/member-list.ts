/** Cluster.MemberList. */
import { MemberListRequestSchema, MemberListResponseSchema } from "../../gen/etcdserverpb/rpc_pb.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { linearized, unaryMessages } from "../handler.ts";
import type { RpcServer } from "../rpc-server.ts";

export function memberListHandler(server: RpcServer): SingleRequestHandler {
  return unaryMessages(MemberListRequestSchema, MemberListResponseSchema, async (request) => {
    if (request.linearizable) await linearized(server);
    const { cluster } = server;
    // etcd leaves the revision out of this header.
    const header = {
      clusterId: cluster.id,
      memberId: cluster.localId,
      raftTerm: BigInt(server.raftStatus().term),
    };
    const members = cluster.members().map((member) => ({
      ID: member.id,
      name: member.name,
      peerURLs: [...member.peerUrls],
      clientURLs: [...member.clientUrls],
      isLearner: member.isLearner,
    }));
    return { header, members };
  });
}
