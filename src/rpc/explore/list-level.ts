/** Explore.ListLevel: one level of the tree that the keys are. What may be seen of it is what may be read. */
import { checkRange } from "../../auth/permission.ts";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import { errors } from "../../errors/table.ts";
import { ListLevelRequestSchema, ListLevelResponseSchema } from "../../gen/tables/etclitepb/explore.ts";
import { fromBinaryKey, toBinaryKey } from "../../lib/binary-key.ts";
import type { LevelRequest } from "../../mvcc/read/level.ts";
import { spanOf } from "../../mvcc/read/read-view.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { callerOf, checkNotStale } from "../caller.ts";
import { linearized, stepped, unaryMessages } from "../handler.ts";
import { responseHeader } from "../response-header.ts";
import type { RpcServer } from "../rpc-server.ts";

/** Entries of one answer. */
const entriesMax = 10_000;

export function listLevelHandler(server: RpcServer): SingleRequestHandler {
  return unaryMessages(ListLevelRequestSchema, ListLevelResponseSchema, async (request, call) => {
    const { key, rangeEnd, separator, limit, count, prefixLength, revision, serializable } = request;
    if (key.length === 0) throw errors.emptyKey();
    if (separator.length === 0) throw invalid("the separator is empty");
    if (prefixLength < 0n || limit < 0n) throw invalid("prefix_length and limit cannot be negative");
    if (!serializable) await linearized(server);
    const caller = await callerOf(server, call);
    checkRange(server.auth.state, caller, key, rangeEnd);
    const asked: LevelRequest = {
      span: spanOf(toBinaryKey(key), toBinaryKey(rangeEnd)),
      prefixLength: Number(prefixLength),
      separator: toBinaryKey(separator),
      limit: Math.min(Number(limit) || entriesMax, entriesMax),
      count,
    };
    const level = await stepped(server, call, server.store.listLevel(asked, Number(revision)));
    checkNotStale(server, caller);
    return {
      header: responseHeader(server, level.revision),
      entries: level.entries.map((entry) => ({
        key: fromBinaryKey(entry.key),
        isBranch: entry.isBranch,
        count: BigInt(entry.count),
      })),
      next: level.next === undefined ? new Uint8Array(0) : fromBinaryKey(level.next),
    };
  });
}

function invalid(message: string): EtcdError {
  return new EtcdError(GrpcCode.invalidArgument, `etclite: ${message}`);
}
