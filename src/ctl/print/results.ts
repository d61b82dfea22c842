/** What commands print: a name for each kind of result. */
import type * as auth from "../../client/messages/auth.ts";
import type * as cluster from "../../client/messages/cluster.ts";
import type * as kv from "../../client/messages/kv.ts";
import type * as lease from "../../client/messages/lease.ts";
import type * as maintenance from "../../client/messages/maintenance.ts";
import type { WatchEvent } from "../../client/watcher.ts";
import type { formats } from "../global-flags.ts";

export type Format = (typeof formats)[number];

export interface EndpointHealth {
  readonly endpoint: string;
  readonly health: boolean;
  /** A Go duration. */
  readonly took: string;
  /** Empty if it is well. */
  readonly error: string;
}

export interface EndpointStatus {
  readonly endpoint: string;
  readonly status: maintenance.StatusResponse;
}

export interface EndpointHash {
  readonly endpoint: string;
  readonly hash: maintenance.HashKVResponse;
}

interface ById<R> {
  readonly id: bigint;
  readonly response: R;
}

interface ByRole<R> {
  readonly role: string;
  readonly response: R;
}

interface ByUser<R> {
  readonly user: string;
  readonly response: R;
}

export interface Results {
  readonly del: kv.DeleteRangeResponse;
  readonly get: kv.RangeResponse;
  /** `get --print-value-only`. */
  readonly values: kv.RangeResponse;
  readonly put: kv.PutResponse;
  readonly txn: kv.TxnResponse;
  readonly watch: WatchEvent;
  readonly grant: lease.LeaseGrantResponse;
  readonly revoke: ById<lease.LeaseRevokeResponse>;
  readonly keepAlive: lease.LeaseKeepAliveResponse;
  readonly timeToLive: { readonly response: lease.LeaseTimeToLiveResponse; readonly withKeys: boolean };
  readonly leases: lease.LeaseLeasesResponse;
  readonly memberAdd: cluster.MemberAddResponse;
  readonly memberRemove: ById<cluster.MemberRemoveResponse>;
  readonly memberUpdate: ById<cluster.MemberUpdateResponse>;
  readonly memberPromote: ById<cluster.MemberPromoteResponse>;
  readonly memberList: cluster.MemberListResponse;
  readonly endpointHealth: readonly EndpointHealth[];
  readonly endpointStatus: readonly EndpointStatus[];
  readonly endpointHash: readonly EndpointHash[];
  readonly moveLeader: {
    readonly from: bigint;
    readonly to: bigint;
    readonly response: maintenance.MoveLeaderResponse;
  };
  readonly downgradeValidate: maintenance.DowngradeResponse;
  readonly downgradeEnable: maintenance.DowngradeResponse;
  readonly downgradeCancel: maintenance.DowngradeResponse;
  readonly alarm: maintenance.AlarmResponse;
  readonly roleAdd: ByRole<auth.AuthRoleAddResponse>;
  readonly roleGet: ByRole<auth.AuthRoleGetResponse>;
  readonly roleDelete: ByRole<auth.AuthRoleDeleteResponse>;
  readonly roleList: auth.AuthRoleListResponse;
  readonly roleGrant: ByRole<auth.AuthRoleGrantPermissionResponse>;
  readonly roleRevoke: ByRole<auth.AuthRoleRevokePermissionResponse> & {
    readonly key: string;
    readonly rangeEnd: string;
  };
  readonly userAdd: ByUser<auth.AuthUserAddResponse>;
  readonly userGet: ByUser<auth.AuthUserGetResponse>;
  readonly userList: auth.AuthUserListResponse;
  readonly userPassword: auth.AuthUserChangePasswordResponse;
  readonly userGrant: ByUser<auth.AuthUserGrantRoleResponse> & { readonly role: string };
  readonly userRevoke: ByUser<auth.AuthUserRevokeRoleResponse> & { readonly role: string };
  readonly userDelete: ByUser<auth.AuthUserDeleteResponse>;
  readonly authStatus: auth.AuthStatusResponse;
}

/** What a printer makes of a result: text, or the bytes of keys and values between it. */
export type Output = string | readonly (string | Uint8Array)[];

export interface Style {
  readonly isHex: boolean;
}

export type Printer = { readonly [K in keyof Results]?: (result: Results[K], style: Style) => Output };
