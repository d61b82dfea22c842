/** Which pages may call from a browser: `--cors`. */
import type { Context } from "hono";

/** As etcd answers. */
const etcdMethods = "POST, GET, OPTIONS, PUT, DELETE";
const etcdHeaders = "accept, content-type, authorization";

/** gRPC-web and Connect come with fields of their own, and so may their callers: `token`, `hasleader`. */
const rpcHeaders = [
  etcdHeaders,
  "connect-protocol-version",
  "connect-timeout-ms",
  "connect-content-encoding",
  "connect-accept-encoding",
  "content-encoding",
  "accept-encoding",
  "grpc-message-type",
  "x-grpc-web",
  "x-user-agent",
  "grpc-timeout",
  "token",
  "hasleader",
].join(", ");
const rpcExposed =
  "Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin, Content-Encoding, Connect-Content-Encoding";

/** Adds the CORS fields to `response` if the request's origin, or any, is in `allowed`. */
export function allowOrigin(context: Context, allowed: readonly string[], response: Response): Response {
  const origin = context.req.header("origin");
  const any = allowed.includes("*");
  if (!any && !(origin !== undefined && allowed.includes(origin))) return response;
  const { headers } = response;
  const isRpc = /^\/[\w.]+\.\w+\/\w+$/.test(context.req.path);
  headers.set("Access-Control-Allow-Methods", etcdMethods);
  headers.set("Access-Control-Allow-Origin", any ? "*" : origin!);
  headers.set("Access-Control-Allow-Headers", isRpc ? rpcHeaders : etcdHeaders);
  if (isRpc) headers.set("Access-Control-Expose-Headers", rpcExposed);
  return response;
}

/** Whether the page that asks may: it is of an allowed origin, or of this server, or no page asks at all. */
export function isOriginAllowed(context: Context, allowed: readonly string[]): boolean {
  const origin = context.req.header("origin");
  if (origin === undefined || allowed.includes("*") || allowed.includes(origin)) return true;
  return URL.parse(origin)?.host === context.req.header("host");
}
