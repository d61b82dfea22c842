/** The generated descriptions of all of etcd's services. */
import type { DescService } from "@bufbuild/protobuf";
import { Auth, Cluster, KV, Lease, Maintenance, Watch } from "../../gen/etcdserverpb/rpc_pb.ts";
import { Explore } from "../../gen/etclitepb/explore_pb.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { Election } from "../../gen/v3electionpb/v3election_pb.ts";
import { Lock } from "../../gen/v3lockpb/v3lock_pb.ts";

export const services: readonly DescService[] = [
  KV,
  Watch,
  Lease,
  Cluster,
  Maintenance,
  Auth,
  Lock,
  Election,
  Health,
  Explore,
];
