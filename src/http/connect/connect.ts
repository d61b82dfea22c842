/**
 * gRPC-web and Connect, for browsers, on the same port and with the same handlers as gRPC. The protocols are those of
 * `@connectrpc/connect`; what it hands over is passed on as a call from this process.
 *
 * Streams of requests (Watch, LeaseKeepAlive) work over either version of HTTP, but a browser can only send one request
 * and then listen: it calls them as if they were server-streaming, which looks the same on the wire.
 */
import {
  create,
  type DescMethod,
  type DescService,
  fromBinary,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import {
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type MethodImpl,
} from "@connectrpc/connect";
import {
  type UniversalHandler,
  universalServerRequestFromFetch,
  universalServerResponseToFetch,
} from "@connectrpc/connect/protocol";
import type { Context, Hono } from "hono";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import type { GrpcRoutes, Metadata, Peer } from "../../transport/grpc.ts";
import type { CallRecords } from "../../transport/grpc-server/call-records.ts";
import { joinParts, LocalCall } from "../../transport/local/local-call.ts";
import { AnswerBudget, releasing } from "./answer-budget.ts";
import { opaqueMessage } from "./opaque-message.ts";

/** A larger answer is refused: copying it would hold the event loop. There is RangeStream for more. */
export const answerBytesMax = 32 * 1024 * 1024;
/** Of an answer that becomes JSON, which is made in one go. */
export const jsonAnswerBytesMax = 4 * 1024 * 1024;

export interface ConnectOptions {
  readonly services: readonly DescService[];
  readonly routes: GrpcRoutes;
  readonly peerOf: (context: Context) => Peer;
  /** Where calls are counted. */
  readonly records?: CallRecords | undefined;
  /** A larger request message is refused. */
  readonly maxReceiveBytes: number;
}

const peerKey = createContextKey<Peer>({ address: "", secure: false });
/** Told of an answer that is kept until it is out, and of the call that it is of. */
const keepKey = createContextKey<(bytes: number, call: LocalCall) => void>(() => {});
/** Of smaller ones nobody waits for the end. */
const smallAnswerBytes = 16 * 1024;

/** Adds a path for each method of each service to `app`. What serves a method is made when it is first called. */
export function addConnect(app: Hono, options: ConnectOptions): void {
  const budget = new AnswerBudget();
  for (const service of options.services) {
    for (const method of service.methods) {
      let made: UniversalHandler | undefined;
      app.all(pathOf(method), (context) => {
        made ??= makeHandler(method, options);
        // A stream of requests with one answer: etcd has no such method.
        if (made === undefined) return context.notFound();
        return serve(made, { context, budget, peer: options.peerOf(context) });
      });
    }
  }
}

const pathOf = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`;

function makeHandler(method: DescMethod, options: ConnectOptions): UniversalHandler | undefined {
  const router = createConnectRouter({ grpc: false, readMaxBytes: options.maxReceiveBytes });
  addMethod(router, method, options);
  return router.handlers[0];
}

interface Served {
  readonly context: Context;
  readonly peer: Peer;
  readonly budget: AnswerBudget;
}

async function serve(handler: UniversalHandler, { context, peer, budget }: Served): Promise<Response> {
  // Over HTTP/1.1 the library would refuse streams of requests. They do end there before the answers begin, and work.
  const request = universalServerRequestFromFetch(context.req.raw, { httpVersion: "2" });
  let release: (() => void) | undefined;
  const contextValues = createContextValues()
    .set(peerKey, peer)
    .set(keepKey, (bytes, call) => {
      if (bytes <= smallAnswerBytes) {
        call.release();
        return;
      }
      const giveBack = budget.take(bytes);
      release = () => {
        giveBack?.();
        call.release();
      };
    });
  const response = universalServerResponseToFetch(await handler({ ...request, contextValues }));
  return release === undefined ? response : releasing(response, release);
}

function addMethod(
  router: ConnectRouter,
  method: DescMethod,
  { routes, records }: Pick<ConnectOptions, "routes" | "records">,
): void {
  const path = pathOf(method);
  const open = (context: HandlerContext): LocalCall => {
    const call = new LocalCall(routes, {
      path,
      metadata: metadataOf(context.requestHeader),
      peer: context.values.get(peerKey),
      timeoutMs: context.timeoutMs(),
      records,
    });
    if (context.signal.aborted) call.cancel();
    else context.signal.addEventListener("abort", () => call.cancel(), { once: true });
    return call;
  };
  const implementations = {
    unary: async (request: Message, context: HandlerContext) => {
      const call = open(context);
      await call.send(toBinary(method.input, request));
      const answer = await nextAnswer(call, method, context);
      return answer ?? create(method.output);
    },
    server_streaming: async function* (request: Message, context: HandlerContext) {
      const call = open(context);
      await call.send(toBinary(method.input, request));
      yield* answers(call, method, context);
    },
    bidi_streaming: async function* (requests: AsyncIterable<Message>, context: HandlerContext) {
      const call = open(context);
      void sendAll(call, method, requests);
      yield* answers(call, method, context);
    },
  };
  if (method.methodKind === "client_streaming") return;
  router.rpc(method, implementations[method.methodKind] as MethodImpl<DescMethod>);
}

async function sendAll(call: LocalCall, method: DescMethod, requests: AsyncIterable<Message>): Promise<void> {
  try {
    for await (const request of requests) {
      await call.send(toBinary(method.input, request));
      if (call.isOver) return;
    }
    call.halfClose();
  } catch (error) {
    call.fail(toEtcdError(error));
  }
}

async function* answers(
  call: LocalCall,
  method: DescMethod,
  context: HandlerContext,
): AsyncGenerator<Message> {
  try {
    for (;;) {
      const answer = await nextAnswer(call, method, context);
      if (answer === undefined) return;
      yield answer;
    }
  } finally {
    call.cancel();
  }
}

async function nextAnswer(
  call: LocalCall,
  method: DescMethod,
  { requestHeader, values }: HandlerContext,
): Promise<Message | undefined> {
  const isJson = /json/.test(requestHeader.get("content-type") ?? "");
  const bytesMax = isJson ? jsonAnswerBytesMax : answerBytesMax;
  try {
    const parts = await call.next();
    if (parts === undefined) return undefined;
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (bytes <= bytesMax) {
      if (method.methodKind === "unary") values.get(keepKey)(bytes, call);
      return isJson
        ? fromBinary(method.output, joinParts(parts))
        : opaqueMessage(method.output, joinParts(parts));
    }
    const text = `an answer of ${bytes} bytes is too large (${bytesMax} at most): ask for less at a time`;
    throw new EtcdError(GrpcCode.resourceExhausted, text);
  } catch (error) {
    const { message, code } = EtcdError.from(error);
    throw new ConnectError(message, code as number);
  }
}

function toEtcdError(error: unknown): EtcdError {
  if (!(error instanceof ConnectError)) return EtcdError.from(error);
  return new EtcdError(error.code as number as GrpcCode, error.rawMessage);
}

function metadataOf(headers: Headers): Metadata {
  return { get: (name) => headers.get(name) ?? undefined, entries: () => headers.entries() };
}
