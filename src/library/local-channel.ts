/** Calls from a program to the server inside it: to the very handlers that serve the ports, without a socket. */
import type { CallChannel, CallOptions, OpenCall } from "../client/channel.ts";
import type { StreamListener } from "../client/http2/stream.ts";
import { EtcdError, GrpcCode } from "../errors/etcd-error.ts";
import type { GrpcRoutes, Metadata } from "../transport/grpc.ts";
import { LocalCall } from "./local-call.ts";
import { TurnShare } from "./turn-share.ts";

export class LocalChannel implements CallChannel {
  readonly endpoints = ["in-process"];
  readonly connectError = undefined;
  latest: CallChannel["latest"];
  readonly #routes: GrpcRoutes;
  readonly #calls = new Set<LocalCall>();
  readonly #turnShare = new TurnShare();
  #isClosed = false;

  constructor(routes: GrpcRoutes) {
    this.#routes = routes;
  }

  async open(path: string, listener: StreamListener, options: CallOptions = {}): Promise<OpenCall> {
    return this.openNow(path, listener, options);
  }

  openNow(path: string, listener: StreamListener, options: CallOptions = {}): OpenCall {
    const { signal, deadlineMs } = options;
    if (this.#isClosed) throw new EtcdError(GrpcCode.canceled, "grpc: the client connection is closing");
    if (signal?.aborted) throw new EtcdError(GrpcCode.canceled, "context canceled");
    const handler = this.#routes.get(path);
    if (!handler) throw new EtcdError(GrpcCode.unimplemented, `unknown method ${path}`);
    const onAbort = () => call.giveUp(new EtcdError(GrpcCode.canceled, "context canceled"));
    const call = new LocalCall({
      path,
      handler,
      listener,
      deadlineMs,
      metadata: metadataOf(options),
      turnShare: this.#turnShare,
      onOver: (over) => {
        this.#calls.delete(over);
        signal?.removeEventListener("abort", onAbort);
      },
    });
    this.#calls.add(call);
    signal?.addEventListener("abort", onAbort, { once: true });
    return call;
  }

  /** There is only the one server. */
  setEndpoints(): void {}

  close(): void {
    this.#isClosed = true;
    for (const call of [...this.#calls]) {
      call.giveUp(new EtcdError(GrpcCode.canceled, "grpc: the client connection is closing"));
    }
  }
}

function metadataOf({ metadata = [] }: CallOptions): Metadata {
  const fields = metadata as readonly (readonly [string, string])[];
  return {
    get: (name) => fields.find(([known]) => known === name)?.[1],
    entries: () => fields,
  };
}
