/** etcd's words for what goes wrong in an election. */
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";

export const notLeader = () => new EtcdError(GrpcCode.unknown, "election: not leader");
export const noLeader = () => new EtcdError(GrpcCode.unknown, "election: no leader");
export const missingLeaderKey = () => new EtcdError(GrpcCode.unknown, '"leader" field must be provided');
