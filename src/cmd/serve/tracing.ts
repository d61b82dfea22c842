/** `--enable-distributed-tracing`. */
import type { Config } from "../../config/config.ts";
import type { Logger } from "../../lib/logger.ts";
import type { SpanExporter } from "../../runtime/span-exporter.ts";

/** Undefined if nobody asked for it: then none of the libraries is loaded. */
export async function startTracing(config: Config, logger: Logger): Promise<SpanExporter | undefined> {
  if (!config.enableDistributedTracing) return undefined;
  const { SpanExporter } = await import("../../runtime/span-exporter.ts");
  const options = {
    address: config.distributedTracingAddress,
    serviceName: config.distributedTracingServiceName,
    instanceId: config.distributedTracingInstanceId,
    samplingRatePerMillion: config.distributedTracingSamplingRatePerMillion,
  };
  logger.at("cmd/serve/tracing.ts").debug("distributed tracing enabled", {
    address: options.address,
    "service-name": options.serviceName,
    "service-instance-id": options.instanceId,
    "sampling-rate": options.samplingRatePerMillion,
  });
  return new SpanExporter(options);
}
