/**
 * Runs in the browser: what a page does with connect-web, on a server of another origin. `run.ts` bundles it, and calls
 * `window.tryProtocol`.
 */
import { create, type DescMethodServerStreaming } from "@bufbuild/protobuf";
import { ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import {
  Auth,
  KV,
  Watch,
  WatchCreateRequestSchema,
  WatchRequestSchema,
} from "../../src/gen/etcdserverpb/rpc_pb.ts";

export interface Trial {
  readonly baseUrl: string;
  readonly protocol: "gRPC-web" | "Connect" | "Connect, JSON";
  /** Logs in as this user first. */
  readonly user?: { readonly name: string; readonly password: string };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

/** A browser sends one request and listens: on the wire that is what Watch takes. */
const watchMethod = {
  ...Watch.method.watch,
  methodKind: "server_streaming",
} as unknown as DescMethodServerStreaming<typeof WatchRequestSchema, typeof Watch.method.watch.output>;

function makeTransport({ baseUrl, protocol }: Trial, interceptors: Interceptor[]) {
  if (protocol === "gRPC-web") return createGrpcWebTransport({ baseUrl, interceptors });
  return createConnectTransport({ baseUrl, interceptors, useBinaryFormat: protocol === "Connect" });
}

async function tryProtocol(trial: Trial): Promise<Record<string, unknown>> {
  let token: string | undefined;
  const withToken: Interceptor = (next) => (request) => {
    if (token !== undefined) request.header.set("Authorization", token);
    return next(request);
  };
  const transport = makeTransport(trial, [withToken]);
  const kv = createClient(KV, transport);
  const key = bytes(`browser/${trial.protocol}`);
  const refused = await kv.put({ key, value: bytes("no") }).then(
    () => "allowed",
    (error: unknown) => ConnectError.from(error).rawMessage,
  );
  if (trial.user) token = (await createClient(Auth, transport).authenticate(trial.user)).token;
  await kv.put({ key, value: bytes("one") });
  const got = text((await kv.range({ key })).kvs[0]?.value);
  const error = await kv.put({}).then(
    () => "",
    (cause: unknown) => ConnectError.from(cause).rawMessage,
  );
  const leave = new AbortController();
  const request = create(WatchRequestSchema, {
    requestUnion: { case: "createRequest", value: create(WatchCreateRequestSchema, { key }) },
  });
  const input = (async function* () {
    yield request;
  })();
  const stream = await transport.stream(watchMethod, leave.signal, undefined, undefined, input);
  const watched: string[] = [];
  for await (const answer of stream.message) {
    if (answer.created) await kv.put({ key, value: bytes("two") });
    for (const event of answer.events) watched.push(text(event.kv?.value));
    if (watched.length === 1) await kv.put({ key, value: bytes("three") });
    if (watched.length === 2) break;
  }
  leave.abort();
  return { refused, got, error, watched };
}

(globalThis as unknown as { tryProtocol: typeof tryProtocol }).tryProtocol = tryProtocol;
