/** The metrics of calls and connections, by etcd's names. */
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
  const all = methodLabels();
  for (const [path, { counters }] of transport.methods) {
    const labels = all.get(path);
    if (labels === undefined) continue;
    const counter = (name: string, help: string, read: () => number, code?: string) =>
      metrics.observed(
        "counter",
        name,
        help,
        read,
        code === undefined ? labels : { grpc_code: code, ...labels },
      );
    counter(
      "grpc_server_started_total",
      "Total number of RPCs started on the server.",
      () => counters.started,
    );
    counter(
      "grpc_server_msg_received_total",
      "Total number of RPC stream messages received on the server.",
      () => counters.messagesReceived,
    );
    counter(
      "grpc_server_msg_sent_total",
      "Total number of gRPC stream messages sent by the server.",
      () => counters.messagesSent,
    );
    for (const [code, name] of codeNames.entries()) {
      const help = "Total number of RPCs completed on the server, regardless of success or failure.";
      counter("grpc_server_handled_total", help, () => counters.handled[code] ?? 0, name);
    }
  }
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
      service.methods.map((method): [string, Labels] => [
        `/${service.typeName}/${method.name}`,
        {
          grpc_method: method.name,
          grpc_service: service.typeName,
          grpc_type: names[method.methodKind],
        },
      ]),
    ),
  );
}
