import type { Clock } from "../../lib/clock.ts";
import type { CoarseTimers } from "../timers/coarse-timers.ts";
import type { Http2Connection } from "./connection.ts";
import type { KeepaliveLimits } from "./keepalive.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { BufferPool, FlushQueue } from "./output.ts";
import type { RequestHead } from "./request-head.ts";
import type { Http2Stream } from "./stream.ts";

/** What runs on top of HTTP/2. */
export interface Http2Application {
  /** Makes the stream of a new request; `start` is called when the connection knows it. */
  makeStream(connection: Http2Connection, id: number, head: RequestHead): Http2Stream;
  /** The peer set SETTINGS_HEADER_TABLE_SIZE (`connection.peerHeaderTableBytes`). */
  onPeerHeaderTable(connection: Http2Connection): void;
}

/** What all connections of a server share. */
export interface Http2Environment {
  readonly limits: ConnectionLimits;
  readonly keepalive: KeepaliveLimits;
  readonly application: Http2Application;
  readonly timers: CoarseTimers;
  /** For work that is done in portions. */
  readonly clock: Pick<Clock, "monotonicMs" | "nextTurn">;
  readonly pool: BufferPool;
  readonly flushQueue: FlushQueue;
  /** Bytes of requests that all connections keep, and the most they may. */
  readonly requestMemory: { usedBytes: number; readonly maxBytes: number };
  /** Counters for metrics. */
  readonly counters: Http2Counters;
  /** A fault of ours, or a protocol error of the peer, worth a line in the log. */
  readonly onError: (cause: unknown, connection: Http2Connection) => void;
  /** Told of every list of header fields (name, value, name, value ...) as it was decoded; none is then taken from the
   * cache unread. For looking for faults. */
  readonly onFields: ((fields: readonly string[]) => void) | undefined;
  /** The socket is gone, and no stream is left. */
  readonly onClosed: (connection: Http2Connection) => void;
}

export interface Http2Counters {
  streamsOpened: number;
  streamsRefused: number;
  /** RST_STREAM frames of clients. */
  streamsReset: number;
  /** Connections that we ended with an error. */
  connectionErrors: number;
}
