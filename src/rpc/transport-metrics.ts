/** The metrics of calls and connections, by etcd's names. */
import { methodsOf } from "../codec/message-table.ts";
import { codeNames } from "../errors/table.ts";
import type { Labels, Metrics } from "../lib/metrics.ts";
import type { RpcServer as TransportServer } from "../transport/rpc-server.ts";
import { services } from "./services.ts";

export function registerTransportMetrics(metrics: Metrics, transport: TransportServer): void {
  const bytes = (direction: "received" | "sent", read: () => number) => {
    const name = `etcd_network_client_grpc_${direction}_bytes_total`;
    metrics.observed("counter", name, `The total number of bytes ${direction} to grpc clients.`, read);
  };
  bytes("received", () => transport.counters.grpcReceivedBytes);
  bytes("sent", () => transport.counters.grpcSentBytes);
  metrics.observed(
    "gauge",
    "etclite_open_connections",
    "Connections of clients.",
    () => transport.counters.openHttp2Connections + transport.counters.openHttp1Connections,
  );
  countCalls(metrics, transport);
}

/** Hundreds of series, of which nothing is made until somebody scrapes: making them took 12 of the 47 ms of a first start. */
function countCalls(metrics: Metrics, transport: TransportServer): void {
  const all = methodLabels();
  const methods = [...transport.methods].flatMap(([path, { counters }]) => {
    const labels = all.get(path);
    return labels === undefined ? [] : [{ labels, counters }];
  });
  type Counters = (typeof methods)[number]["counters"];
  const family = (name: string, help: string, read: (counters: Counters) => number) =>
    metrics.collected("counter", name, help, () =>
      methods.map(({ labels, counters }) => [labels, read(counters)] as const),
    );
  family(
    "grpc_server_started_total",
    "Total number of RPCs started on the server.",
    ({ started }) => started,
  );
  family(
    "grpc_server_msg_received_total",
    "Total number of RPC stream messages received on the server.",
    ({ messagesReceived }) => messagesReceived,
  );
  family(
    "grpc_server_msg_sent_total",
    "Total number of gRPC stream messages sent by the server.",
    ({ messagesSent }) => messagesSent,
  );
  metrics.collected(
    "counter",
    "grpc_server_handled_total",
    "Total number of RPCs completed on the server, regardless of success or failure.",
    () =>
      methods.flatMap(({ labels, counters }) =>
        codeNames.map((code, at) => [{ grpc_code: code, ...labels }, counters.handled[at] ?? 0] as const),
      ),
  );
}

/** go-grpc-prometheus' labels of every method, by path. */
export function methodLabels(): Map<string, Labels> {
  const names = {
    unary: "unary",
    server_streaming: "server_stream",
    client_streaming: "client_stream",
    bidi_streaming: "bidi_stream",
  };
  return new Map(
    services.flatMap((service) =>
      methodsOf(service).map(({ path, name, kind }): [string, Labels] => [
        path,
        { grpc_method: name, grpc_service: service.typeName, grpc_type: names[kind] },
      ]),
    ),
  );
}
