/**
 * Every limit of a connection, by name. None of them is reached by a client that behaves; each of them bounds what
 * one that does not can cost.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

export interface ConnectionLimits {
  /** SETTINGS_MAX_CONCURRENT_STREAMS; streams beyond it get REFUSED_STREAM. */
  readonly maxConcurrentStreams: number;
  /** SETTINGS_INITIAL_WINDOW_SIZE: what a client may send on a stream before anybody has read it. */
  readonly streamWindowBytes: number;
  /** The connection's receive window. Bytes are credited back when they arrive: what bounds memory is the stream
   * windows and `maxBufferedRequestBytes`, so that a stream nobody reads never stops the others. */
  readonly connectionWindowBytes: number;
  /** Bytes of incomplete messages and unread bodies that one connection may keep here. The stream that passes it is
   * reset with ENHANCE_YOUR_CALM. */
  readonly maxBufferedRequestBytes: number;
  /** SETTINGS_MAX_HEADER_LIST_SIZE. A larger list resets its stream (FRAME_SIZE_ERROR, as grpc-go does). */
  readonly maxHeaderListBytes: number;
  /** Octets of one header block over HEADERS and its CONTINUATIONs. More ends the connection. */
  readonly maxHeaderBlockBytes: number;
  /** CONTINUATION frames of one header block. More ends the connection. */
  readonly maxContinuations: number;
  /** DATA frames in a row that carry nothing, not even END_STREAM. More ends the connection. */
  readonly maxEmptyFrames: number;
  /** Streams that a client may reset before their answer, or make us reset by breaking rules: a bucket of this size,
   * refilled by one for each stream that ends well and by `resetRefillPerSecond`. An empty bucket ends the connection
   * (CVE-2023-44487, CVE-2025-8671). */
  readonly maxResets: number;
  readonly resetRefillPerSecond: number;
  /** Frames other than HEADERS and DATA that may come without any of those: a bucket that a useful frame fills up
   * again, and time by `controlRefillPerSecond`. An empty one ends the connection. */
  readonly maxControlFrames: number;
  readonly controlRefillPerSecond: number;
  /** Answers to PING and SETTINGS that wait because the peer does not read. More ends the connection. */
  readonly maxPendingAcks: number;
  /** When this much encoded output waits in the socket, streams are no longer encoded but wait their turn. */
  readonly socketHighWaterBytes: number;
  /** Output that may wait (besides the largest single answer) before new streams are refused. */
  readonly maxPendingOutputBytes: number;
  /** A socket with output that takes none of it for this long is closed. */
  readonly outputStallTimeoutMs: number;
  /** The longest a connection may take for its TLS handshake, and then for its first bytes. */
  readonly prefaceTimeoutMs: number;
  /** The longest that frames of one connection are handled in one go: then others get their turn. */
  readonly turnBudgetMs: number;
  /** Headers of at most this many octets are worth remembering, in this many places. */
  readonly blockCacheBytes: number;
  readonly blockCacheSlots: number;
  /** Streams reset by us that are remembered, so that frames still under way to them are no error. */
  readonly maxRememberedResets: number;
}

export const defaultConnectionLimits: ConnectionLimits = {
  maxConcurrentStreams: 65_536,
  streamWindowBytes: 1 * MiB,
  connectionWindowBytes: 16 * MiB,
  maxBufferedRequestBytes: 128 * MiB,
  maxHeaderListBytes: 64 * KiB,
  maxHeaderBlockBytes: 64 * KiB,
  maxContinuations: 32,
  maxEmptyFrames: 1_000,
  maxResets: 2_000,
  resetRefillPerSecond: 200,
  maxControlFrames: 10_000,
  controlRefillPerSecond: 1_000,
  maxPendingAcks: 1_000,
  socketHighWaterBytes: 256 * KiB,
  maxPendingOutputBytes: 64 * MiB,
  outputStallTimeoutMs: 60_000,
  prefaceTimeoutMs: 20_000,
  turnBudgetMs: 5,
  blockCacheBytes: 256,
  blockCacheSlots: 32,
  maxRememberedResets: 256,
};
