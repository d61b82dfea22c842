/**
 * The JSON gateway: `POST /v3/kv/put {"key": "Zm9v", "value": "YmFy"}`. It follows grpc-gateway as etcd configures it:
 * bytes in base64, 64-bit numbers as strings, names as in the .proto files, default values left out; requests may use
 * either style of names, and names that do not exist are ignored.
 */
import {
  type DescMethod,
  type DescService,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import type { Context, Hono } from "hono";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import type { GrpcRoutes, Peer } from "../../transport/grpc.ts";
import { LocalUnaryCall } from "./local-call.ts";
import { gatewayPaths } from "./paths.ts";

/** The HTTP status of each gRPC code, as grpc-gateway maps them. */
const httpStatus: readonly number[] = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];

export interface GatewayOptions {
  readonly services: readonly DescService[];
  readonly routes: GrpcRoutes;
  readonly peerOf: (context: Context) => Peer;
}

/** Adds the gateway's paths to `app`. */
export function addGateway(app: Hono, options: GatewayOptions): void {
  const methods = new Map<string, DescMethod>();
  for (const service of options.services) {
    for (const method of service.methods) methods.set(`${service.typeName}/${method.name}`, method);
  }
  for (const [path, name] of Object.entries(gatewayPaths)) {
    const method = methods.get(name);
    if (!method) continue;
    app.post(path, (context) => serve(context, method, name, options));
    app.all(path, (context) => errorResponse(context, 501, GrpcCode.unimplemented, "Method Not Allowed"));
  }
  app.all("/v3/*", (context) => errorResponse(context, 404, GrpcCode.notFound, "Not Found"));
}

async function serve(
  context: Context,
  method: DescMethod,
  name: string,
  options: GatewayOptions,
): Promise<Response> {
  const handler = options.routes.get(`/${name}`);
  if (handler?.kind !== "single" || method.methodKind !== "unary") {
    return errorResponse(context, 501, GrpcCode.unimplemented, `${name} is not served as JSON`);
  }
  let request: Uint8Array;
  try {
    const body = (await context.req.text()).trim();
    const json: JsonValue = body === "" ? {} : JSON.parse(body);
    request = toBinary(method.input, fromJson(method.input, json, { ignoreUnknownFields: true }));
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return errorResponse(context, 400, GrpcCode.invalidArgument, what);
  }
  const call = new LocalUnaryCall(`/${name}`, context.req.raw.headers, options.peerOf(context));
  context.req.raw.signal?.addEventListener("abort", () => call.cancel(), { once: true });
  try {
    handler.onRequest(call, request);
    const message = fromBinary(method.output, await call.answer);
    const json = toJson(method.output, message, { useProtoFieldName: true });
    return context.body(JSON.stringify(json), 200, {
      "Content-Type": "application/json",
      "Grpc-Metadata-Content-Type": "application/grpc",
    });
  } catch (error) {
    const { code, message } = EtcdError.from(error);
    return errorResponse(context, httpStatus[code] ?? 500, code, message);
  }
}

function errorResponse(context: Context, status: number, code: number, message: string): Response {
  return context.body(JSON.stringify({ code, message }), status as 400, {
    "Content-Type": "application/json",
  });
}
