/** The ways into a server, each as "make this call with this token, and tell how it ended". */
import {
  create,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { ConnectError, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { WatchResponseSchema } from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { gatewayPaths } from "../../src/http/json/paths.ts";
import { GrpcError } from "../support/grpc-client.ts";
import type { SecuredServer } from "./secured-server.ts";

/** How a call ended: "ok", or the text of its error. */
export type Ending = string;

export interface Door {
  readonly name: string;
  call(method: DescMethod, request: object, token: string | undefined): Promise<Ending>;
}

const callTimeoutMs = 60_000;

export const pathOf = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`;

function messageOf({ input }: DescMethod, request: object): Uint8Array {
  return toBinary(input, create(input, request as never));
}

/** gRPC, streams included: of an answer that is a stream the first message counts. */
export function grpcDoor(server: SecuredServer): Door {
  return {
    name: "gRPC",
    async call(method, request, token) {
      const metadata: Record<string, string> = token === undefined ? {} : { token };
      const message = messageOf(method, request);
      try {
        if (method.methodKind === "unary") {
          await server.client.unary(pathOf(method), message, callTimeoutMs, metadata);
          return "ok";
        }
        return await streamEnding(server, method, message, metadata);
      } catch (error) {
        if (error instanceof GrpcError) return error.message;
        throw error;
      }
    },
  };
}

async function streamEnding(
  server: SecuredServer,
  method: DescMethod,
  message: Uint8Array,
  metadata: Record<string, string>,
): Promise<Ending> {
  const first = Promise.withResolvers<Uint8Array>();
  const call = server.client.call(pathOf(method), first.resolve, metadata);
  call.ended.catch(first.reject);
  call.send(message);
  call.end();
  const answer = await first.promise;
  call.cancel();
  if (method.output.typeName !== WatchResponseSchema.typeName) return "ok";
  const { cancelReason } = fromBinary(WatchResponseSchema, answer);
  return cancelReason === "" ? "ok" : withoutCode(cancelReason);
}

/** An error as Go prints it, without what is in front of its text. */
const withoutCode = (reason: string): string => reason.replace(/^rpc error: code = \w+ desc = /, "");

/** The JSON gateway, with the token where curl would put it. */
export function jsonDoor(server: SecuredServer): Door {
  const paths = new Map(Object.entries(gatewayPaths).map(([path, method]) => [method, path]));
  const pathFor = (method: DescMethod) => paths.get(pathOf(method).slice(1));
  return {
    name: "JSON",
    async call(method, request, token) {
      const given = new AbortController();
      const answer = await fetch(server.url + pathFor(method), {
        method: "POST",
        body: JSON.stringify(toJson(method.input, create(method.input, request as never))),
        headers: token === undefined ? {} : { authorization: token },
        signal: given.signal,
      });
      if (!answer.ok || method.methodKind === "unary") {
        const body = (await answer.json()) as { message?: string; error?: { message: string } };
        return answer.ok ? "ok" : (body.message ?? body.error?.message ?? `HTTP ${answer.status}`);
      }
      const line = await firstLine(answer);
      given.abort();
      const { result } = JSON.parse(line) as { result: { cancel_reason?: string } };
      return result.cancel_reason === undefined ? "ok" : withoutCode(result.cancel_reason);
    },
  };
}

async function firstLine(answer: Response): Promise<string> {
  const reader = answer.body!.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  return text.split("\n", 1)[0]!;
}

/** What browsers use. */
export const grpcWebDoor = (server: SecuredServer): Door =>
  browserDoor("gRPC-web", () => createGrpcWebTransport({ baseUrl: server.url }));
export const connectDoor = (server: SecuredServer): Door =>
  browserDoor("Connect", () => createConnectTransport({ baseUrl: server.url, useBinaryFormat: true }));

function browserDoor(name: string, makeTransport: () => Transport): Door {
  let transport: Transport | undefined;
  return {
    name,
    async call(method, request, token) {
      transport ??= makeTransport();
      const header: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      try {
        if (method.methodKind === "unary") {
          await transport.unary(
            method as DescMethodUnary,
            undefined,
            callTimeoutMs,
            header,
            request as never,
          );
          return "ok";
        }
        return await browserStream(transport, method, request, header);
      } catch (error) {
        return ConnectError.from(error).rawMessage;
      }
    },
  };
}

/** A browser sends one request and then listens, whatever the method. */
async function browserStream(
  transport: Transport,
  method: DescMethod,
  request: object,
  header: Record<string, string>,
): Promise<Ending> {
  const given = new AbortController();
  const oneRequest = { ...method, methodKind: "server_streaming" } as DescMethodServerStreaming;
  const input = (async function* () {
    yield request as never;
  })();
  const answer = await transport.stream(oneRequest, given.signal, callTimeoutMs, header, input);
  for await (const message of answer.message) {
    given.abort();
    const { cancelReason } = message as { cancelReason?: string };
    return cancelReason ? withoutCode(cancelReason) : "ok";
  }
  return "no answer";
}
