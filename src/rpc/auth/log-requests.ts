/** The calls of the auth service that go through the log as they came, and are checked when they are applied. */
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { KeyPermission } from "../../codec/auth-row.ts";
import type { MessageTable } from "../../codec/message-table.ts";
import { raftField } from "../../codec/raft-internal.ts";
import {
  AuthDisableRequestSchema,
  AuthDisableResponseSchema,
  AuthEnableRequestSchema,
  AuthEnableResponseSchema,
  AuthRoleAddRequestSchema,
  AuthRoleAddResponseSchema,
  AuthRoleDeleteRequestSchema,
  AuthRoleDeleteResponseSchema,
  AuthRoleGetRequestSchema,
  AuthRoleGetResponseSchema,
  AuthRoleGrantPermissionRequestSchema,
  AuthRoleGrantPermissionResponseSchema,
  AuthRoleListRequestSchema,
  AuthRoleListResponseSchema,
  AuthRoleRevokePermissionRequestSchema,
  AuthRoleRevokePermissionResponseSchema,
  AuthStatusRequestSchema,
  AuthStatusResponseSchema,
  AuthUserDeleteRequestSchema,
  AuthUserDeleteResponseSchema,
  AuthUserGetRequestSchema,
  AuthUserGetResponseSchema,
  AuthUserGrantRoleRequestSchema,
  AuthUserGrantRoleResponseSchema,
  AuthUserListRequestSchema,
  AuthUserListResponseSchema,
  AuthUserRevokeRoleRequestSchema,
  AuthUserRevokeRoleResponseSchema,
} from "../../gen/tables/etcdserverpb/rpc.ts";
import type { AuthStatus } from "../../server/apply/apply-auth.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { proposedFor } from "../caller.ts";
import { unaryMessages } from "../handler.ts";
import { responseHeader } from "../response-header.ts";
import type { RpcServer } from "../rpc-server.ts";

export function logRequestHandlers(server: RpcServer): Record<string, SingleRequestHandler> {
  return {
    AuthEnable: through(server, raftField.authEnable, AuthEnableRequestSchema, AuthEnableResponseSchema),
    AuthDisable: through(server, raftField.authDisable, AuthDisableRequestSchema, AuthDisableResponseSchema),
    AuthStatus: statusHandler(server),
    ...userHandlers(server),
    ...roleHandlers(server),
  };
}

function userHandlers(server: RpcServer): Record<string, SingleRequestHandler> {
  return {
    UserGet: through(
      server,
      raftField.authUserGet,
      AuthUserGetRequestSchema,
      AuthUserGetResponseSchema,
      (roles: string[]) => ({ roles }),
    ),
    UserList: through(
      server,
      raftField.authUserList,
      AuthUserListRequestSchema,
      AuthUserListResponseSchema,
      (users: string[]) => ({ users }),
    ),
    UserDelete: through(
      server,
      raftField.authUserDelete,
      AuthUserDeleteRequestSchema,
      AuthUserDeleteResponseSchema,
    ),
    UserGrantRole: through(
      server,
      raftField.authUserGrantRole,
      AuthUserGrantRoleRequestSchema,
      AuthUserGrantRoleResponseSchema,
    ),
    UserRevokeRole: through(
      server,
      raftField.authUserRevokeRole,
      AuthUserRevokeRoleRequestSchema,
      AuthUserRevokeRoleResponseSchema,
    ),
  };
}

function roleHandlers(server: RpcServer): Record<string, SingleRequestHandler> {
  return {
    RoleAdd: through(server, raftField.authRoleAdd, AuthRoleAddRequestSchema, AuthRoleAddResponseSchema),
    RoleGet: through(
      server,
      raftField.authRoleGet,
      AuthRoleGetRequestSchema,
      AuthRoleGetResponseSchema,
      (permissions: KeyPermission[]) => ({ perm: permissions.map(toPermission) }),
    ),
    RoleList: through(
      server,
      raftField.authRoleList,
      AuthRoleListRequestSchema,
      AuthRoleListResponseSchema,
      (roles: string[]) => ({ roles }),
    ),
    RoleDelete: through(
      server,
      raftField.authRoleDelete,
      AuthRoleDeleteRequestSchema,
      AuthRoleDeleteResponseSchema,
    ),
    RoleGrantPermission: through(
      server,
      raftField.authRoleGrantPermission,
      AuthRoleGrantPermissionRequestSchema,
      AuthRoleGrantPermissionResponseSchema,
    ),
    RoleRevokePermission: through(
      server,
      raftField.authRoleRevokePermission,
      AuthRoleRevokePermissionRequestSchema,
      AuthRoleRevokePermissionResponseSchema,
    ),
  };
}

/** Open to all: a client has to know whether it must log in. */
function statusHandler(server: RpcServer): SingleRequestHandler {
  return through(
    server,
    raftField.authStatus,
    AuthStatusRequestSchema,
    AuthStatusResponseSchema,
    ({ enabled, revision }: AuthStatus) => ({ enabled, authRevision: BigInt(revision) }),
  );
}

const toPermission = ({ type, key, rangeEnd }: KeyPermission) => ({ permType: type, key, rangeEnd });

/** `more` makes what the answer has besides its header of what apply gave. */
function through<Input extends DescMessage, Output extends DescMessage, Result = void>(
  server: RpcServer,
  field: number,
  input: MessageTable<Input>,
  output: MessageTable<Output>,
  more: (result: Result) => object = () => ({}),
): SingleRequestHandler {
  return unaryMessages(input, output, async (request, call, bytes) => {
    const result = await proposedFor<Result>(server, call, { field, bytes, request });
    // Every answer of the auth service has its header as field 1; that is more than the types can say here.
    return { header: responseHeader(server), ...more(result) } as unknown as MessageInitShape<Output>;
  });
}
