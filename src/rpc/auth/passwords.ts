/** Auth.UserAdd and UserChangePassword: into the log goes the password's hash, and nowhere the password. */

import { checkAdmin } from "../../auth/permission.ts";
import { create, toBinary } from "../../codec/messages.ts";
import { raftField } from "../../codec/raft-internal.ts";
import {
  AuthUserAddRequestSchema,
  AuthUserAddResponseSchema,
  AuthUserChangePasswordRequestSchema,
  AuthUserChangePasswordResponseSchema,
} from "../../gen/tables/etcdserverpb/rpc.ts";
import type { GrpcCall, SingleRequestHandler } from "../../transport/grpc.ts";
import { askingOf, callerOf, proposedFor } from "../caller.ts";
import { linearized, unaryMessages } from "../handler.ts";
import { responseHeader } from "../response-header.ts";
import type { RpcServer } from "../rpc-server.ts";

export function userAddHandler(server: RpcServer): SingleRequestHandler {
  return unaryMessages(AuthUserAddRequestSchema, AuthUserAddResponseSchema, async (asked, call) => {
    const { name, password, options } = asked;
    // As in etcd a hash that a client sends counts for nothing here.
    const hashedPassword = options?.noPassword ? "" : await hashFor(server, call, password);
    const request = create(AuthUserAddRequestSchema, { name, options, hashedPassword });
    const bytes = toBinary(AuthUserAddRequestSchema, request);
    await proposedFor(server, call, { field: raftField.authUserAdd, bytes, request });
    return { header: responseHeader(server) };
  });
}

export function userChangePasswordHandler(server: RpcServer): SingleRequestHandler {
  return unaryMessages(
    AuthUserChangePasswordRequestSchema,
    AuthUserChangePasswordResponseSchema,
    async ({ name, password, hashedPassword: given }, call) => {
      const hashedPassword = password === "" ? given : await hashFor(server, call, password);
      const request = create(AuthUserChangePasswordRequestSchema, { name, hashedPassword });
      const bytes = toBinary(AuthUserChangePasswordRequestSchema, request);
      await proposedFor(server, call, { field: raftField.authUserChangePassword, bytes, request });
      return { header: responseHeader(server) };
    },
  );
}

/** The hash in base64. Making it is so expensive that it is done only for those who will be allowed to use it. */
async function hashFor(server: RpcServer, call: GrpcCall, password: string): Promise<string> {
  if (server.auth.enabled) {
    await linearized(server);
    checkAdmin(server.auth.state, await callerOf(server, call));
  }
  return btoa(await server.auth.hasher.hash(password, askingOf(call)));
}
