/** Which pages may call from a browser: `--cors`. */
import { cors as connectCors } from "@connectrpc/connect";
import type { Context } from "hono";

/** As etcd answers. */
const etcdMethods = "POST, GET, OPTIONS, PUT, DELETE";
const etcdHeaders = "accept, content-type, authorization";

/** gRPC-web and Connect come with fields of their own, and so may their callers: `token`, `hasleader`. */
const rpcHeaders = [
  etcdHeaders,
  ...connectCors.allowedHeaders.map((name) => name.toLowerCase()),
  "token",
  "hasleader",
];
const rpcExposed = connectCors.exposedHeaders.join(", ");

/** Adds the CORS fields to `response` if the request's origin, or any, is in `allowed`. */
export function allowOrigin(context: Context, allowed: readonly string[], response: Response): Response {
  const origin = context.req.header("origin");
  const any = allowed.includes("*");
  if (!any && !(origin !== undefined && allowed.includes(origin))) return response;
  const { headers } = response;
  const isRpc = /^\/[\w.]+\.\w+\/\w+$/.test(context.req.path);
  headers.set("Access-Control-Allow-Methods", etcdMethods);
  headers.set("Access-Control-Allow-Origin", any ? "*" : origin!);
  headers.set("Access-Control-Allow-Headers", isRpc ? [...new Set(rpcHeaders)].join(", ") : etcdHeaders);
  if (isRpc) headers.set("Access-Control-Expose-Headers", rpcExposed);
  return response;
}
