/**
 * Auth.Authenticate: a token for a name and a password. The password is checked here and goes no further; what goes through
 * the log is the name, and what makes the token one that all members know.
 */
import { create, toBinary } from "../../codec/messages.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { errors } from "../../errors/table.ts";
import { InternalAuthenticateRequestSchema } from "../../gen/tables/etcdserverpb/raft_internal.ts";
import { AuthenticateRequestSchema, AuthenticateResponseSchema } from "../../gen/tables/etcdserverpb/rpc.ts";
import type { Asking, TokenGrant } from "../../server/auth/token-provider.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { askingOf } from "../caller.ts";
import { linearized, proposed, unaryMessages } from "../handler.ts";
import { responseHeader } from "../response-header.ts";
import type { RpcServer } from "../rpc-server.ts";

/** Users and roles may change while a password is checked; that often it is checked again. */
const attemptsMax = 10;

export function authenticateHandler(server: RpcServer): SingleRequestHandler {
  return unaryMessages(
    AuthenticateRequestSchema,
    AuthenticateResponseSchema,
    async ({ name, password }, call) => {
      await linearized(server);
      const { auth } = server;
      const asking = askingOf(call);
      for (let attempt = 0; attempt < attemptsMax && !call.cancelled; attempt++) {
        const { revision } = auth.state;
        await checkPassword(server, name, password, asking);
        const request = create(InternalAuthenticateRequestSchema, {
          name,
          simpleToken: auth.tokens.newPrefix(),
        });
        const bytes = toBinary(InternalAuthenticateRequestSchema, request);
        const proposal = { field: raftField.authenticate, bytes, request };
        const grant = await proposed<TokenGrant>(server, proposal);
        // With another revision it may be another user of the same name, or another password.
        if (grant.authRevision === revision && auth.state.revision === revision) {
          return { header: responseHeader(server), token: await auth.tokens.issue(grant) };
        }
        auth.logger.info("revision when password checked became stale; retrying");
      }
      throw errors.authOldRevision();
    },
  );
}

async function checkPassword(
  { auth }: RpcServer,
  name: string,
  password: string,
  asking: Asking,
): Promise<void> {
  if (!auth.enabled) throw errors.authNotEnabled();
  const user = auth.state.user(name);
  const refuse = (error: Error): never => {
    auth.logger.warn("invalid authentication was requested", { user: name, error: error.message });
    throw error;
  };
  if (!user) return refuse(errors.authFailed());
  if (user.options?.noPassword) return refuse(errors.noPasswordUser());
  const hash = String.fromCharCode(...user.password);
  if (!(await auth.hasher.matches(password, hash, asking))) refuse(errors.authFailed());
}
