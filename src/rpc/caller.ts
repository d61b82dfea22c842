/** Who makes a call. Found out when it is asked for and not before, as etcd does: by then a read has waited for everything
 * that was committed, and so for the token it comes with. */
import type { Caller } from "../auth/caller.ts";
import type { EtcdError } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import type { Authentication } from "../server/auth/authentication.ts";
import type { Asking } from "../server/auth/token-provider.ts";
import type { GrpcCall } from "../transport/grpc.ts";
import type { ProposalDone, ProposalRequest } from "./rpc-server.ts";
import { statusOf } from "./status-of.ts";

export interface AuthSource {
  readonly auth: Authentication;
}

interface CallerSource extends Pick<GrpcCall, "metadata" | "peer"> {
  /** Whom a call of our own is made for, when that was found out before. No call from outside has it. */
  readonly actsFor?: string | undefined;
}

/** Undefined for a call that does not say who makes it, and for all calls without authentication. Throws
 * ErrInvalidAuthToken, or rejects with it. */
export function callerOf(
  server: AuthSource,
  { metadata, peer, actsFor }: CallerSource,
): Caller | undefined | Promise<Caller | undefined> {
  if (!server.auth.enabled) return undefined;
  if (actsFor !== undefined) return { username: actsFor, authRevision: server.auth.state.revision };
  const token = metadata.get("token") ?? metadata.get("authorization");
  // A proxy that speaks for its clients shows its own certificate, not theirs.
  const isProxied = metadata.get("grpcgateway-accept") !== undefined;
  return server.auth.identify({
    token: token?.startsWith(bearer) ? token.slice(bearer.length) : token,
    commonName: isProxied ? undefined : peer.certificateCommonName,
  });
}

const bearer = "Bearer ";

/** Calls `then` with who makes the call: at once, unless a token has to be verified. What it throws fails the call. */
export function withCaller(
  server: AuthSource,
  call: GrpcCall,
  then: (caller: Caller | undefined) => void,
  failed: (error: EtcdError) => void = (error) => call.fail(error),
): void {
  const thrown = (error: unknown) => failed(statusOf(error));
  try {
    const caller = callerOf(server, call);
    if (caller instanceof Promise) caller.then(then).catch(thrown);
    else then(caller);
  } catch (error) {
    thrown(error);
  }
}

/** What users and roles are at the end of a read must be what they were when it was allowed. */
export function checkNotStale({ auth }: AuthSource, caller: Caller | undefined): void {
  if (caller !== undefined && caller.authRevision !== auth.state.revision) throw errors.authOldRevision();
}

interface Proposing extends AuthSource {
  propose<Result>(proposal: ProposalRequest, done: ProposalDone<Result>): void;
}

/** Puts a request through the log in the name of whoever makes the call. Fails the call if that is not known. */
export function proposeFor<Result>(
  server: Proposing,
  call: GrpcCall,
  proposal: ProposalRequest,
  done: ProposalDone<Result>,
): void {
  if (!server.auth.enabled) server.propose(proposal, done);
  else withCaller(server, call, (caller) => server.propose({ ...proposal, caller }, done));
}

/** The same as a promise. */
export async function proposedFor<Result>(
  server: Proposing,
  call: GrpcCall,
  proposal: ProposalRequest,
): Promise<Result> {
  const caller = await callerOf(server, call);
  return new Promise((resolve, reject) => {
    server.propose<Result>({ ...proposal, caller }, (error, result) =>
      error ? reject(error) : resolve(result as Result),
    );
  });
}

/** For work on a password: whose turn it takes, and until when it is wanted. */
export function askingOf(call: GrpcCall): Asking {
  const gone = new AbortController();
  call.onCancel(() => gone.abort());
  return { source: call.peer.address.replace(/:\d+$/, ""), signal: gone.signal };
}
