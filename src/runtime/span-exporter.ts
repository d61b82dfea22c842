/** Spans to a collector, by OpenTelemetry's libraries (OTLP over gRPC). Loaded only for `--enable-distributed-tracing`. */

import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-base";
import { GrpcCode } from "../errors/etcd-error.ts";
import { PatientTimer } from "../lib/patient-timer.ts";

export interface SpanExporterOptions {
  /** `host:port`. */
  readonly address: string;
  readonly serviceName: string;
  /** Empty: left out. */
  readonly instanceId: string;
  /** Of calls that no client asks to trace. */
  readonly samplingRatePerMillion: number;
}

type Attributes = Readonly<Record<string, string | number | boolean>>;

const million = 1_000_000;
/** How long spans that are left may take to go when the server stops. */
const shutdownMsMax = 1_000;
/** Spans that wait for the collector; more are dropped. */
const waitingSpansMax = 2048;

/** gRPC codes by which a server says that it is at fault: what semantic conventions take for an error of its span. */
const faults: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);

/** As semantic conventions write them: "OUT_OF_RANGE", and "CANCELLED" with two Ls. */
const statusNames: ReadonlyMap<number, string> = new Map(
  Object.entries(GrpcCode).map(([name, code]) => [
    code,
    name === "canceled" ? "CANCELLED" : name.replace(/[A-Z]/g, "_$&").toUpperCase(),
  ]),
);

export class SpanExporter {
  readonly #provider: BasicTracerProvider;
  readonly #tracer: Tracer;

  constructor({ address, serviceName, instanceId, samplingRatePerMillion }: SpanExporterOptions) {
    const instance = instanceId === "" ? {} : { "service.instance.id": instanceId };
    const root =
      samplingRatePerMillion > 0
        ? new TraceIdRatioBasedSampler(samplingRatePerMillion / million)
        : new AlwaysOffSampler();
    const exporter = new OTLPTraceExporter({ url: `http://${address}` });
    this.#provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ "service.name": serviceName, ...instance }),
      sampler: new ParentBasedSampler({ root }),
      spanProcessors: [new BatchSpanProcessor(exporter, { maxQueueSize: waitingSpansMax })],
    });
    this.#tracer = this.#provider.getTracer("go.etcd.io/etcd");
  }

  begin(name: string, traceparent: string | undefined, attributes: Attributes): ExportedSpan | undefined {
    const parent = parentOf(traceparent);
    const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, context);
    return span.isRecording() ? new ExportedSpan(this.#tracer, span) : undefined;
  }

  /** Sends what is left, if the collector takes it soon. */
  async stop(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = new PatientTimer(shutdownMsMax, late.resolve).unref();
    await Promise.race([this.#provider.shutdown().catch(() => {}), late.promise]);
    timer.cancel();
  }
}

class ExportedSpan {
  readonly #tracer: Tracer;
  readonly #span: Span;

  constructor(tracer: Tracer, span: Span) {
    this.#tracer = tracer;
    this.#span = span;
  }

  child(name: string, attributes: Attributes): ExportedSpan {
    const context = trace.setSpan(ROOT_CONTEXT, this.#span);
    return new ExportedSpan(this.#tracer, this.#tracer.startSpan(name, { attributes }, context));
  }

  event(name: string): void {
    this.#span.addEvent(name);
  }

  end(code?: number, message?: string): void {
    if (code !== undefined) this.#setStatus(code, message);
    this.#span.end();
  }

  #setStatus(code: number, message: string | undefined): void {
    this.#span.setAttribute("rpc.response.status_code", statusNames.get(code) ?? `CODE(${code})`);
    if (faults.has(code)) {
      this.#span.setStatus({ code: SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) });
    }
  }
}

/** W3C's header; undefined if it is none, or all zeros. */
function parentOf(traceparent: string | undefined) {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/.exec(traceparent ?? "");
  if (!match || /^0+$/.test(match[1]!) || /^0+$/.test(match[2]!)) return undefined;
  return {
    traceId: match[1]!,
    spanId: match[2]!,
    traceFlags: Number.parseInt(match[3]!, 16) & 1,
    isRemote: true,
  };
}
