/** OpenTelemetry. */
import { bool, integer, type OptionTable, text } from "../option.ts";

export const tracingOptions = {
  enableDistributedTracing: bool("enable-distributed-tracing", {
    default: false,
    help: "Send spans to a collector.",
  }),
  distributedTracingAddress: text("distributed-tracing-address", {
    default: "localhost:4317",
    help: "The collector's address (OTLP over gRPC).",
  }),
  distributedTracingServiceName: text("distributed-tracing-service-name", {
    default: "etcd",
    help: "The name of the service in the spans: the same for all members.",
  }),
  distributedTracingInstanceId: text("distributed-tracing-instance-id", {
    default: "",
    help: "The name of this member in the spans: another for each.",
  }),
  distributedTracingSamplingRatePerMillion: integer("distributed-tracing-sampling-rate", "int", {
    default: 0,
    help: "How many of a million requests are traced.",
  }),
} satisfies OptionTable;
