/** A collector of spans (opentelemetry.proto.collector.trace.v1.TraceService) on our own transport. */
import { Reader } from "../../src/codec/protowire-read.ts";
import { RpcServer } from "../../src/transport/rpc-server.ts";

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
  readonly status: number;
  readonly resource: Readonly<Record<string, unknown>>;
}

type Fields = Map<number, (Uint8Array | number)[]>;

export class Collector {
  readonly spans: ReceivedSpan[] = [];
  readonly #server: RpcServer;
  port = 0;

  private constructor() {
    this.#server = new RpcServer({
      routes: new Map([
        [
          "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
          {
            kind: "single",
            onRequest: (call, message) => {
              this.#receive(message);
              call.respond(new Uint8Array(0));
            },
          },
        ],
      ]),
      fetch: () => new Response(null, { status: 404 }),
      limits: {
        maxReceiveBytes: 16 * 1024 * 1024,
        maxConcurrentStreams: 100,
        keepaliveMinTimeMs: 0,
        keepaliveIntervalMs: 0,
        keepaliveTimeoutMs: 0,
      },
    });
  }

  static async start(): Promise<Collector> {
    const collector = new Collector();
    const listener = await collector.#server.listen("http://127.0.0.1:0");
    collector.port = listener.port!;
    return collector;
  }

  stop(): Promise<void> {
    return this.#server.shutdown(0);
  }

  #receive(message: Uint8Array): void {
    for (const group of messages(fieldsOf(message), 1)) {
      const resource = attributesOf(messages(group, 1)[0] ?? new Map(), 1);
      for (const scope of messages(group, 2)) {
        for (const span of messages(scope, 2)) this.spans.push(spanOf(span, resource));
      }
    }
  }
}

function spanOf(span: Fields, resource: ReceivedSpan["resource"]): ReceivedSpan {
  return {
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    parentSpanId: hex(span, 4),
    name: text(span, 5),
    attributes: attributesOf(span, 9),
    events: messages(span, 11).map((event) => text(event, 2)),
    status: (messages(span, 15)[0]?.get(3)?.[0] as number | undefined) ?? 0,
    resource,
  };
}

function fieldsOf(bytes: Uint8Array): Fields {
  const fields: Fields = new Map();
  const reader = new Reader(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    const kind = tag % 8;
    let value: Uint8Array | number = 0;
    if (kind === 0) value = reader.uint();
    else if (kind === 2) value = reader.bytesField();
    else reader.skip(tag);
    const field = Math.floor(tag / 8);
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

const messages = (fields: Fields, field: number): Fields[] =>
  (fields.get(field) ?? []).map((value) => fieldsOf(value as Uint8Array));

const bytesOf = (fields: Fields, field: number): Uint8Array =>
  (fields.get(field)?.[0] as Uint8Array | undefined) ?? new Uint8Array(0);

const hex = (fields: Fields, field: number): string => Buffer.from(bytesOf(fields, field)).toString("hex");
const text = (fields: Fields, field: number): string => new TextDecoder().decode(bytesOf(fields, field));

/** KeyValue { key = 1; AnyValue value = 2 { string = 1; bool = 2; int = 3 } }. */
function attributesOf(fields: Fields, field: number): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const pair of messages(fields, field)) {
    const value = messages(pair, 2)[0] ?? new Map();
    if (value.has(2)) all[text(pair, 1)] = value.get(2)?.[0] === 1;
    else all[text(pair, 1)] = value.get(3)?.[0] ?? text(value, 1);
  }
  return all;
}
