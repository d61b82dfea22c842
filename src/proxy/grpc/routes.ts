/** All methods that the proxy serves, by path. */
import { methodsOf } from "../../codec/message-table.ts";
import { services } from "../../rpc/services.ts";
import type { GrpcHandler } from "../../transport/grpc.ts";
import { keepAliveHandler } from "./lease/keep-alive.ts";
import { KeepAliveHub } from "./lease/keep-alive-hub.ts";
import type { KnownProxies } from "./members/known-proxies.ts";
import { memberListHandler } from "./members/member-list.ts";
import type { Namespace } from "./namespace/namespace.ts";
import * as shapes from "./namespace/shapes.ts";
import { type Edits, passServerStream, passUnary } from "./pass-on.ts";
import type { ProxyMetrics } from "./proxy-metrics.ts";
import type { Upstream } from "./upstream.ts";
import { watchHandler } from "./watch/client-watches.ts";
import { WatchHub } from "./watch/watch-hub.ts";

export interface RoutesOptions {
  readonly upstream: Upstream;
  readonly metrics: ProxyMetrics;
  readonly namespace: Namespace | undefined;
  /** `--advertise-client-url`; empty: the members of the cluster are told. */
  readonly advertiseClientUrl: string;
  readonly knownProxies: KnownProxies | undefined;
}

export interface ProxyRoutes {
  readonly routes: ReadonlyMap<string, GrpcHandler>;
  readonly watches: WatchHub;
}

export function createProxyRoutes(options: RoutesOptions): ProxyRoutes {
  const { upstream, metrics, namespace, advertiseClientUrl, knownProxies } = options;
  const watches = new WatchHub({ upstream, metrics, namespace });
  const edits = namespace === undefined ? new Map<string, Edits>() : editsOf(namespace);
  const routes = new Map<string, GrpcHandler>();
  for (const { path, kind } of services.flatMap(methodsOf)) {
    if (kind === "unary") routes.set(path, passUnary(upstream, path, edits.get(path)));
    if (kind === "server_streaming") routes.set(path, passServerStream(upstream, path, edits.get(path)));
  }
  routes.set("/etcdserverpb.Watch/Watch", watchHandler(watches));
  routes.set("/etcdserverpb.Lease/LeaseKeepAlive", keepAliveHandler(new KeepAliveHub(upstream)));
  if (advertiseClientUrl !== "") {
    routes.set("/etcdserverpb.Cluster/MemberList", memberListHandler(advertiseClientUrl, knownProxies));
  }
  return { routes, watches };
}

/** As in etcd, names of locks and elections stay as they are: their services are not under the namespace. */
function editsOf(namespace: Namespace): Map<string, Edits> {
  const edit = (request: shapes.Shape | undefined, response: shapes.Shape): Edits => ({
    ...(request === undefined ? {} : { request: (message) => namespace.edit(message, request) }),
    response: (message) => namespace.editLarge(message, response),
  });
  return new Map([
    ["/etcdserverpb.KV/Range", edit(shapes.rangeRequest, shapes.rangeResponse)],
    ["/etcdserverpb.KV/RangeStream", edit(shapes.rangeRequest, shapes.rangeStreamResponse)],
    ["/etcdserverpb.KV/Put", edit(shapes.putRequest, shapes.putResponse)],
    ["/etcdserverpb.KV/DeleteRange", edit(shapes.deleteRangeRequest, shapes.deleteRangeResponse)],
    ["/etcdserverpb.KV/Txn", edit(shapes.txnRequest, shapes.txnResponse)],
    ["/etcdserverpb.Lease/LeaseTimeToLive", edit(undefined, shapes.leaseTimeToLiveResponse)],
  ]);
}
