/** Calls to simulated members in a kind world, for tests that go step by step. */
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { EtcdError } from "../../../src/errors/etcd-error.ts";
import {
  DeleteRangeRequestSchema,
  DeleteRangeResponseSchema,
  LeaseGrantRequestSchema,
  LeaseGrantResponseSchema,
  LeaseKeepAliveRequestSchema,
  LeaseKeepAliveResponseSchema,
  LeaseTimeToLiveRequestSchema,
  LeaseTimeToLiveResponseSchema,
  MemberAddRequestSchema,
  MemberAddResponseSchema,
  MemberListRequestSchema,
  MemberListResponseSchema,
  MemberPromoteRequestSchema,
  MemberPromoteResponseSchema,
  MemberRemoveRequestSchema,
  MemberRemoveResponseSchema,
  MoveLeaderRequestSchema,
  MoveLeaderResponseSchema,
  PutRequestSchema,
  PutResponseSchema,
  RangeRequestSchema,
  RangeResponseSchema,
  StatusRequestSchema,
  StatusResponseSchema,
} from "../../../src/gen/etcdserverpb/rpc_pb.ts";
import { toBinaryKey } from "../../../src/lib/binary-key.ts";
import { Prng } from "../../../src/lib/prng.ts";
import { ClientNetwork } from "../clients/client-network.ts";
import { bytesOf } from "../clients/workload.ts";
import type { SimCluster } from "../world/sim-cluster.ts";
import type { SimMember } from "../world/sim-member.ts";

const methods = {
  put: ["KV/Put", PutRequestSchema, PutResponseSchema],
  range: ["KV/Range", RangeRequestSchema, RangeResponseSchema],
  deleteRange: ["KV/DeleteRange", DeleteRangeRequestSchema, DeleteRangeResponseSchema],
  grant: ["Lease/LeaseGrant", LeaseGrantRequestSchema, LeaseGrantResponseSchema],
  timeToLive: ["Lease/LeaseTimeToLive", LeaseTimeToLiveRequestSchema, LeaseTimeToLiveResponseSchema],
  memberAdd: ["Cluster/MemberAdd", MemberAddRequestSchema, MemberAddResponseSchema],
  memberRemove: ["Cluster/MemberRemove", MemberRemoveRequestSchema, MemberRemoveResponseSchema],
  memberPromote: ["Cluster/MemberPromote", MemberPromoteRequestSchema, MemberPromoteResponseSchema],
  memberList: ["Cluster/MemberList", MemberListRequestSchema, MemberListResponseSchema],
  moveLeader: ["Maintenance/MoveLeader", MoveLeaderRequestSchema, MoveLeaderResponseSchema],
  status: ["Maintenance/Status", StatusRequestSchema, StatusResponseSchema],
} as const satisfies Record<string, readonly [string, DescMessage, DescMessage]>;
type Methods = typeof methods;

export class ClusterClient {
  readonly network: ClientNetwork;
  readonly #cluster: SimCluster;

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
    this.network = new ClientNetwork(cluster.events, new Prng(1, 99));
  }

  /** Lets time pass until the call has ended. Rejects with etcd's error, or one that says that there was no answer. */
  async call<Name extends keyof Methods>(
    member: SimMember,
    name: Name,
    request: MessageInitShape<Methods[Name][1]>,
  ) {
    const [path, input, output] = methods[name] as Methods[Name];
    const bytes = toBinary(input as DescMessage, create(input as DescMessage, request as never));
    const answer = this.network.call(member, `/etcdserverpb.${path}`, bytes);
    const result = await this.wait(answer);
    if (result.kind === "error") throw result.error;
    if (result.kind !== "answer") throw new Error(result.kind);
    return fromBinary(output as Methods[Name][2], result.bytes);
  }

  put(member: SimMember, key: string, value: string) {
    return this.call(member, "put", { key: bytesOf(key), value: bytesOf(value) });
  }

  async get(member: SimMember, key: string, serializable = false): Promise<string | undefined> {
    const { kvs } = await this.call(member, "range", { key: bytesOf(key), serializable });
    return kvs[0] && toBinaryKey(kvs[0].value);
  }

  /** The seconds that the lease has again. */
  keepAlive(member: SimMember, ID: bigint): Promise<number> {
    return this.wait(
      new Promise<number>((resolve, reject) => {
        const stream = this.network.open(member, "/etcdserverpb.Lease/LeaseKeepAlive", {
          onMessage: (bytes) => {
            resolve(Number(fromBinary(LeaseKeepAliveResponseSchema, bytes).TTL));
            stream.halfClose();
          },
          onEnd: (error) => reject(typeof error === "string" ? new Error(error) : (error as EtcdError)),
        });
        stream.send(toBinary(LeaseKeepAliveRequestSchema, create(LeaseKeepAliveRequestSchema, { ID })));
      }),
    );
  }

  async wait<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    promise.then(over, over);
    await this.#cluster.until("an answer", () => isOver, 60_000);
    return promise;
  }
}
