/** Maintenance.Hash and HashKV. */
import {
  HashKVRequestSchema,
  HashKVResponseSchema,
  HashRequestSchema,
  HashResponseSchema,
} from "../../gen/tables/etcdserverpb/rpc.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { stepped, unaryMessages } from "../handler.ts";
import { responseHeader } from "../response-header.ts";
import type { MaintenanceSource } from "../rpc-server.ts";

export function hashHandler(server: MaintenanceSource): SingleRequestHandler {
  return unaryMessages(HashRequestSchema, HashResponseSchema, async (_request, call) => {
    const { hash, revision } = await stepped(server, call, server.hashAll());
    return { header: responseHeader(server, revision), hash };
  });
}

export function hashKvHandler(server: MaintenanceSource): SingleRequestHandler {
  return unaryMessages(HashKVRequestSchema, HashKVResponseSchema, async (request, call) => {
    const answer = await stepped(server, call, server.hashKv(Number(request.revision)));
    return {
      header: responseHeader(server, answer.currentRevision),
      hash: answer.hash,
      compactRevision: BigInt(answer.compactRevision),
      hashRevision: BigInt(answer.hashRevision),
    };
  });
}
