/** The methods of the Lease service. */
import * as messages from "../messages/lease.ts";
import { duplex, repeatable } from "./method.ts";

export const leaseGrant = repeatable(
  "Lease/LeaseGrant",
  messages.leaseGrantRequest,
  messages.leaseGrantResponse,
);
export const leaseRevoke = repeatable(
  "Lease/LeaseRevoke",
  messages.leaseRevokeRequest,
  messages.leaseRevokeResponse,
);
export const leaseKeepAlive = duplex(
  "Lease/LeaseKeepAlive",
  messages.leaseKeepAliveRequest,
  messages.leaseKeepAliveResponse,
);
export const leaseTimeToLive = repeatable(
  "Lease/LeaseTimeToLive",
  messages.leaseTimeToLiveRequest,
  messages.leaseTimeToLiveResponse,
);
export const leaseLeases = repeatable(
  "Lease/LeaseLeases",
  messages.leaseLeasesRequest,
  messages.leaseLeasesResponse,
);
