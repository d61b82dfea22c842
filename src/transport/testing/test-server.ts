import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import type { FetchHandler, GrpcCall, GrpcHandler, GrpcLimits, Peer } from "../grpc.ts";
import type { ConnectionError } from "../http2/protocol.ts";
import type { Listener } from "../listen/listener.ts";
import { RpcServer, type RpcServerOptions } from "../rpc-server.ts";

/** etcd's own defaults, with a small message limit. */
export const testLimits: GrpcLimits = {
  maxReceiveBytes: 64 * 1024,
  maxConcurrentStreams: 100,
  keepaliveMinTimeMs: 5_000,
  keepaliveIntervalMs: 0,
  keepaliveTimeoutMs: 0,
};

/** A server in this process, with what it reported. */
export class TestServer {
  readonly server: RpcServer;
  readonly listener: Listener;
  readonly faults: unknown[];
  readonly errors: string[];

  private constructor(server: RpcServer, listener: Listener, faults: unknown[], errors: string[]) {
    this.server = server;
    this.listener = listener;
    this.faults = faults;
    this.errors = errors;
  }

  static async start(
    options: Partial<RpcServerOptions> & { fetch?: FetchHandler } = {},
  ): Promise<TestServer> {
    const faults: unknown[] = [];
    const errors: string[] = [];
    const server = new RpcServer({
      routes: testRoutes,
      fetch: () => new Response("hello\n"),
      limits: testLimits,
      observer: {
        onFault: (cause) => faults.push(cause),
        onConnectionError: (cause: ConnectionError, _peer: Peer) => errors.push(cause.message),
      },
      ...options,
    });
    return new TestServer(server, await server.listen("http://127.0.0.1:0"), faults, errors);
  }

  get port(): number {
    return this.listener.port!;
  }

  stop(): Promise<void> {
    return this.server.shutdown(0);
  }
}

/** Answers with the request. */
const echo: GrpcHandler = { kind: "single", onRequest: (call, message) => call.respond(message) };

/** Answers each message with the same one, and ends after the last. */
const echoStream: GrpcHandler = {
  kind: "stream",
  open: (call) => ({ onMessage: (message) => call.write(message), onHalfClose: () => call.end() }),
};

/** A number in digits; 0 for anything else. */
function sizeIn(message: Uint8Array): number {
  const text = Buffer.from(message).toString();
  return /^\d{1,8}$/.test(text) ? Number(text) : 0;
}

/** The request says how many bytes to answer with. */
const blob: GrpcHandler = {
  kind: "single",
  onRequest: (call, message) => call.respond(Buffer.alloc(sizeIn(message), 0x62)),
};

/** The request says how many bytes to answer with: in parts of at most 1000 bytes. */
const parts: GrpcHandler = {
  kind: "single",
  onRequest(call, message) {
    const total = sizeIn(message);
    const all: Uint8Array[] = [];
    for (let left = total; left > 0; left -= 1000) all.push(Buffer.alloc(Math.min(left, 1000), 0x70));
    call.respondParts(all);
  },
};

/** Never answers. */
const hang: GrpcHandler = { kind: "single", onRequest() {} };

/** Fails in the way the request names. */
const fail: GrpcHandler = {
  kind: "single",
  onRequest(call: GrpcCall, message) {
    const text = Buffer.from(message).toString();
    if (text === "throw") throw new Error("a bug");
    if (text === "throw-etcd") throw new EtcdError(GrpcCode.notFound, "etcdserver: thrown");
    call.fail(new EtcdError(GrpcCode.outOfRange, text));
  },
};

export const testRoutes: ReadonlyMap<string, GrpcHandler> = new Map<string, GrpcHandler>([
  ["/test.Echo/Unary", echo],
  ["/test.Echo/Stream", echoStream],
  ["/test.Echo/Blob", blob],
  ["/test.Echo/Parts", parts],
  ["/test.Echo/Hang", hang],
  ["/test.Echo/Fail", fail],
]);
