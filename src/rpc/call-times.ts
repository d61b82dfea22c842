/** How long calls take: in histograms (`--metrics extensive`), and in the log when one took too long. */
import { decodeDeleteRangeRequest } from "../codec/delete-range.ts";
import { Reader } from "../codec/protowire-read.ts";
import { decodePutRequest } from "../codec/put.ts";
import { decodeRangeRequest } from "../codec/range.ts";
import { deleteRangeText, putText, rangeText, txnText } from "../codec/request-text.ts";
import { decodeTxnRequest } from "../codec/txn-request.ts";
import { formatGoDuration } from "../lib/go-duration.ts";
import type { LogFields, Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { CallTimes, EndedCall } from "../transport/grpc.ts";
import { methodLabels } from "./transport-metrics.ts";

/** go-grpc-prometheus' own. */
const secondsBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** An answer is looked into for its count only as far as this. */
const countBytesMax = 256 * 1024;

export interface CallTimesOptions {
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly now: () => number;
  readonly wallMs: () => number;
  /** `--metrics extensive`. */
  readonly extensive: boolean;
  /** `--warning-unary-request-duration`, in milliseconds. */
  readonly warnAfterMs: number;
}

export function callTimes(options: CallTimesOptions): CallTimes {
  const { metrics, logger, now, wallMs, extensive, warnAfterMs } = options;
  const labels = methodLabels();
  const tellsAll = logger.enabled("debug");
  return {
    now,
    histogramOf(path) {
      const of = labels.get(path);
      if (!extensive || of === undefined) return undefined;
      const help =
        "Histogram of response latency (seconds) of gRPC that had been application-level handled by the server.";
      return metrics.histogram("grpc_server_handling_seconds", help, secondsBounds, of);
    },
    // On the level "debug" etcd tells of every call.
    slowMs: tellsAll ? -1 : warnAfterMs,
    onSlow(call) {
      if (labels.get(call.path)?.["grpc_type"] !== "unary") return;
      const fields = requestStats(call, wallMs() - call.tookMs);
      if (tellsAll) logger.debug("request stats", fields);
      else logger.warn("request stats", fields);
    },
  };
}

function requestStats(call: EndedCall, startWallMs: number): LogFields {
  const sizes = sizesOf(call);
  return {
    "start time": new Date(startWallMs).toISOString().replace("Z", "000Z"),
    "time spent": formatGoDuration(call.tookMs),
    remote: call.peer.address,
    "response type": call.path,
    "request count": sizes.requests,
    "request size": sizes.requestBytes,
    "response count": sizes.responses,
    "response size": sizes.responseBytes,
    "request content": sizes.content,
  };
}

interface Sizes {
  readonly requests: number;
  readonly requestBytes: number;
  readonly responses: number;
  readonly responseBytes: number;
  readonly content: string;
}

/** What etcd says of calls that it has nothing to say of. */
const unknownSizes: Sizes = { requests: -1, requestBytes: -1, responses: -1, responseBytes: -1, content: "" };

function sizesOf({ path, request, response }: EndedCall): Sizes {
  const bytes = {
    requestBytes: request.length,
    responseBytes: response.reduce((sum, part) => sum + part.length, 0),
  };
  try {
    switch (path.slice("/etcdserverpb.KV/".length)) {
      case "Range": {
        const content = rangeText(decodeRangeRequest(request));
        return { ...bytes, requests: 0, responses: numberIn(response.at(-1), 4), content };
      }
      case "Put":
        return { ...bytes, requests: 1, responses: 0, content: putText(decodePutRequest(request)) };
      case "DeleteRange": {
        const content = deleteRangeText(decodeDeleteRangeRequest(request));
        return { ...bytes, requests: 0, responses: numberIn(response[0], 2), content };
      }
      case "Txn": {
        const txn = decodeTxnRequest(request);
        const { length } = numberIn(response[0], 2) === 1 ? txn.success : txn.failure;
        return { ...bytes, requests: length, responses: 0, content: txnText(txn) };
      }
      default:
        return unknownSizes;
    }
  } catch {
    // It was refused because it cannot be read.
    return unknownSizes;
  }
}

/** The number in a field of (a part of) a message; 0 if there is none. */
function numberIn(message: Uint8Array | undefined, field: number): number {
  if (message === undefined || message.length > countBytesMax) return 0;
  const reader = new Reader(message);
  let value = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === field * 8) value = reader.uint();
    else reader.skip(tag);
  }
  return value;
}
