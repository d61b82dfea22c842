/** Explore.RevisionAt: the way from a time to a revision. */
import { RevisionAtRequestSchema, RevisionAtResponseSchema } from "../../gen/tables/etclitepb/explore.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { linearized, unaryMessages } from "../handler.ts";
import { responseHeader } from "../response-header.ts";
import type { RpcServer } from "../rpc-server.ts";

export function revisionAtHandler(server: RpcServer): SingleRequestHandler {
  return unaryMessages(RevisionAtRequestSchema, RevisionAtResponseSchema, async ({ timeMs }) => {
    await linearized(server);
    const { revision, latestRevision, isUncertain } = server.revisionAt(Number(timeMs));
    return {
      header: responseHeader(server, server.store.revision),
      revision: BigInt(revision),
      latestRevision: BigInt(latestRevision),
      isUncertain,
    };
  });
}
