/** One question of the proxy's own to a server, as bytes. */
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import type { Upstream, UpstreamCallOptions } from "./upstream.ts";

/** Rejects with the server's error. */
export async function ask(
  upstream: Upstream,
  path: string,
  request: Uint8Array,
  options: UpstreamCallOptions,
): Promise<Uint8Array> {
  for (;;) {
    const ended = Promise.withResolvers<Uint8Array | undefined>();
    let answer: Uint8Array | undefined;
    const call = await upstream.open(
      path,
      {
        onMessage: (message) => {
          answer = message;
          return true;
        },
        onEnd: (error, isUnseen) => {
          if (isUnseen) ended.resolve(undefined);
          else if (error === undefined && answer !== undefined) ended.resolve(answer);
          else ended.reject(error ?? new EtcdError(GrpcCode.internal, "cardinality violation: no answer"));
        },
      },
      options,
    );
    call.send(request);
    call.halfClose();
    const result = await ended.promise;
    if (result !== undefined) return result;
  }
}
