/**
 * `enable-authorization`: a cluster that has no authentication yet gets it before anybody is served. All members may do this
 * at the same time; whoever adds the root user first decides its password.
 */
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { rootName } from "../../auth/caller.ts";
import type { MessageTable } from "../../codec/message-table.ts";
import { create, toBinary } from "../../codec/messages.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { EtcdError } from "../../errors/etcd-error.ts";
import { errors } from "../../errors/table.ts";
import {
  AuthEnableRequestSchema,
  AuthUserAddRequestSchema,
  AuthUserGrantRoleRequestSchema,
} from "../../gen/tables/etcdserverpb/rpc.ts";
import type { Authentication } from "./authentication.ts";

export interface EnablingServer {
  readonly auth: Authentication;
  propose<Result>(
    proposal: { readonly field: number; readonly bytes: Uint8Array; readonly request: unknown },
    done: (error: EtcdError | undefined, result?: Result) => void,
  ): void;
  linearizable(ready: () => void, failed: (error: EtcdError) => void): void;
}

/**
 * Resolves when authentication is on. `onPassword` is told the password of a root user that was made for it, once it is in
 * the log and before anybody can use it. Rejects with etcd's errors, after which it can be tried again.
 */
export async function beginEnabled(
  server: EnablingServer,
  newPassword: () => string,
  onPassword: (password: string) => void,
): Promise<void> {
  const { auth } = server;
  await new Promise<void>((resolve, reject) => server.linearizable(resolve, reject));
  if (auth.enabled) return;
  if (!auth.state.user(rootName)) await addRoot(server, newPassword(), onPassword);
  await propose(server, raftField.authUserGrantRole, AuthUserGrantRoleRequestSchema, {
    user: rootName,
    role: rootName,
  });
  await propose(server, raftField.authEnable, AuthEnableRequestSchema, {});
}

async function addRoot(
  server: EnablingServer,
  password: string,
  onPassword: (password: string) => void,
): Promise<void> {
  const hashedPassword = btoa(await server.auth.hasher.hash(password));
  const options = { noPassword: false };
  const user = { name: rootName, hashedPassword, options };
  try {
    await propose(server, raftField.authUserAdd, AuthUserAddRequestSchema, user);
    onPassword(password);
  } catch (error) {
    // Another member was first, and tells its password.
    if (!(error instanceof EtcdError && error.message === errors.userAlreadyExist.text)) throw error;
  }
}

function propose<Desc extends DescMessage>(
  server: EnablingServer,
  field: number,
  schema: MessageTable<Desc>,
  init: MessageInitShape<Desc>,
): Promise<void> {
  const request = create(schema, init);
  const bytes = toBinary(schema, request);
  return new Promise((resolve, reject) => {
    // In its own name, in case another member has turned authentication on meanwhile.
    const proposal = { field, bytes, request, caller: server.auth.asRoot };
    server.propose<void>(proposal, (error) => (error ? reject(error) : resolve()));
  });
}
