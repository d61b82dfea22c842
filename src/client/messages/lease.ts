/** Messages of the Lease service. Fields are named as in etcd's .proto files. */
import { bool, bytes, inner, int64, list, type MessageOf, message, string } from "../wire/message.ts";
import { responseHeader } from "./kv.ts";

export const leaseGrantRequest = message({
  TTL: int64(1),
  ID: int64(2),
});
export type LeaseGrantRequest = MessageOf<typeof leaseGrantRequest>;

export const leaseGrantResponse = message({
  header: inner(1, responseHeader),
  ID: int64(2),
  TTL: int64(3),
  error: string(4),
});
export type LeaseGrantResponse = MessageOf<typeof leaseGrantResponse>;

export const leaseRevokeRequest = message({
  ID: int64(1),
});
export type LeaseRevokeRequest = MessageOf<typeof leaseRevokeRequest>;

export const leaseRevokeResponse = message({
  header: inner(1, responseHeader),
});
export type LeaseRevokeResponse = MessageOf<typeof leaseRevokeResponse>;

export const leaseKeepAliveRequest = message({
  ID: int64(1),
});
export type LeaseKeepAliveRequest = MessageOf<typeof leaseKeepAliveRequest>;

export const leaseKeepAliveResponse = message({
  header: inner(1, responseHeader),
  ID: int64(2),
  TTL: int64(3),
});
export type LeaseKeepAliveResponse = MessageOf<typeof leaseKeepAliveResponse>;

export const leaseTimeToLiveRequest = message({
  ID: int64(1),
  keys: bool(2),
});
export type LeaseTimeToLiveRequest = MessageOf<typeof leaseTimeToLiveRequest>;

export const leaseTimeToLiveResponse = message({
  header: inner(1, responseHeader),
  ID: int64(2),
  TTL: int64(3),
  grantedTTL: int64(4),
  keys: list(bytes(5)),
});
export type LeaseTimeToLiveResponse = MessageOf<typeof leaseTimeToLiveResponse>;

export const leaseLeasesRequest = message({});
export type LeaseLeasesRequest = MessageOf<typeof leaseLeasesRequest>;

export const leaseStatus = message({
  ID: int64(1),
});
export type LeaseStatus = MessageOf<typeof leaseStatus>;

export const leaseLeasesResponse = message({
  header: inner(1, responseHeader),
  leases: list(inner(2, leaseStatus)),
});
export type LeaseLeasesResponse = MessageOf<typeof leaseLeasesResponse>;
