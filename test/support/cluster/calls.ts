/** Calls to one endpoint, each on a connection of its own. */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import * as rpc from "../../../src/gen/etcdserverpb/rpc_pb.ts";
import { GrpcClient } from "../grpc-client.ts";

export interface MemberInfo {
  readonly id: bigint;
  readonly name: string;
  readonly isLearner: boolean;
}

export interface Status {
  readonly memberId: bigint;
  readonly leader: bigint;
  readonly raftTerm: number;
  readonly revision: number;
  readonly isLearner: boolean;
}

/** Calls once and hangs up. Rejects with a `GrpcError`. */
export async function callOnce<In extends DescMessage, Out extends DescMessage>(
  url: string,
  path: string,
  types: { readonly input: In; readonly output: Out },
  message: MessageInitShape<In>,
  timeoutMs = 10_000,
): Promise<MessageShape<Out>> {
  const client = new GrpcClient(url);
  try {
    const request = toBinary(types.input, create(types.input, message));
    return fromBinary(types.output, await client.unary(`/etcdserverpb.${path}`, request, timeoutMs));
  } finally {
    client.close();
  }
}

export async function memberList(url: string, timeoutMs?: number): Promise<MemberInfo[]> {
  const types = { input: rpc.MemberListRequestSchema, output: rpc.MemberListResponseSchema };
  const { members } = await callOnce(url, "Cluster/MemberList", types, {}, timeoutMs);
  return members.map(({ ID, name, isLearner }) => ({ id: ID, name, isLearner }));
}

export async function memberAdd(url: string, peerUrl: string, isLearner: boolean): Promise<bigint> {
  const types = { input: rpc.MemberAddRequestSchema, output: rpc.MemberAddResponseSchema };
  const { member } = await callOnce(url, "Cluster/MemberAdd", types, { peerURLs: [peerUrl], isLearner });
  return member!.ID;
}

export async function memberPromote(url: string, id: bigint): Promise<void> {
  const types = { input: rpc.MemberPromoteRequestSchema, output: rpc.MemberPromoteResponseSchema };
  await callOnce(url, "Cluster/MemberPromote", types, { ID: id });
}

export async function memberRemove(url: string, id: bigint): Promise<void> {
  const types = { input: rpc.MemberRemoveRequestSchema, output: rpc.MemberRemoveResponseSchema };
  await callOnce(url, "Cluster/MemberRemove", types, { ID: id });
}

export async function moveLeader(url: string, to: bigint): Promise<void> {
  const types = { input: rpc.MoveLeaderRequestSchema, output: rpc.MoveLeaderResponseSchema };
  await callOnce(url, "Maintenance/MoveLeader", types, { targetID: to });
}

export async function status(url: string, timeoutMs?: number): Promise<Status> {
  const types = { input: rpc.StatusRequestSchema, output: rpc.StatusResponseSchema };
  const answer = await callOnce(url, "Maintenance/Status", types, {}, timeoutMs);
  return {
    memberId: answer.header!.memberId,
    leader: answer.leader,
    raftTerm: Number(answer.raftTerm),
    revision: Number(answer.header!.revision),
    isLearner: answer.isLearner,
  };
}

/** The hash of a member's whole history up to a revision, as text with what it covers. */
export async function hashKv(url: string, revision: number): Promise<string> {
  const types = { input: rpc.HashKVRequestSchema, output: rpc.HashKVResponseSchema };
  const request = { revision: BigInt(revision) };
  const { hash, compactRevision } = await callOnce(url, "Maintenance/HashKV", types, request, 60_000);
  return `${hash.toString(16)} from ${compactRevision}`;
}

export async function compact(url: string, revision: number): Promise<void> {
  const types = { input: rpc.CompactionRequestSchema, output: rpc.CompactionResponseSchema };
  await callOnce(url, "KV/Compact", types, { revision: BigInt(revision) });
}
