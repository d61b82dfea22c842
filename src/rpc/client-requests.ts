/** etcd_server_client_requests_total: calls by the version of the API that the client says it was made for. */
import type { Counter, Metrics } from "../lib/metrics.ts";
import type { GrpcCall, Metadata } from "../transport/grpc.ts";

/** A client may say anything; what comes after so many different versions counts as one more. */
const versionsMax = 64;
const versionCharsMax = 32;

type Kind = "unary" | "stream";

export class ClientRequests {
  readonly #metrics: Metrics;
  /** By the metadata itself, which calls of one connection share. */
  readonly #known = { unary: new WeakMap<Metadata, Counter>(), stream: new WeakMap<Metadata, Counter>() };
  readonly #versions = new Set<string>();
  /** The requests of a chunk come from one connection, so most are like the one before: then there is nothing to look up. */
  #lastMetadata: Metadata | undefined;
  #lastKind: Kind = "unary";
  #last: Counter | undefined;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  count({ metadata }: GrpcCall, kind: Kind): void {
    if (metadata !== this.#lastMetadata || kind !== this.#lastKind) {
      this.#last = this.#counterFor(metadata, kind);
      this.#lastMetadata = metadata;
      this.#lastKind = kind;
    }
    this.#last!.inc();
  }

  #counterFor(metadata: Metadata, kind: Kind): Counter {
    const known = this.#known[kind];
    let counter = known.get(metadata);
    if (counter === undefined) {
      counter = this.#counterOf(metadata.get("client-api-version") ?? "unknown", kind);
      known.set(metadata, counter);
    }
    return counter;
  }

  #counterOf(said: string, kind: Kind): Counter {
    const isPlain = said.length <= versionCharsMax && /^[\x20-\x7e]*$/.test(said);
    const isRoom = this.#versions.has(said) || this.#versions.size < versionsMax;
    const version = isPlain && isRoom ? said : "other";
    this.#versions.add(version);
    return this.#metrics.counter(
      "etcd_server_client_requests_total",
      "The total number of client requests per client version.",
      { type: kind, client_api_version: version },
    );
  }
}
