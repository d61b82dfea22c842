/** Sends messages to one member on a stream that the member has asked for. */
import { Buffer } from "node:buffer";
import { assert } from "../../../lib/assert.ts";
import type { Clock, Timer } from "../../../lib/clock.ts";
import type { MemberId } from "../../../lib/ids.ts";
import type { Logger } from "../../../lib/logger.ts";
import type { Message } from "../../../lib/raft-message.ts";
import { formatId } from "../../../membership/member.ts";
import { AppendEncoder } from "../frames/append-frames.ts";
import { type FrameEncoder, linkHeartbeat } from "../frames/frame.ts";
import { MessageEncoder } from "../frames/message-frames.ts";
import { chunkHeadBytes, chunkTailBytes, type OutgoingStream, sealChunk } from "../http1/exchange.ts";
import { SilenceTimer } from "../http1/silence-timer.ts";
import type { PeerLimits } from "../limits.ts";
import type { PeerSeries } from "../peer-metrics.ts";
import type { PeerStatus } from "../peer-status.ts";
import { SendQueue } from "./send-queue.ts";
import { type StreamType, streamTypes } from "./stream-type.ts";

export interface StreamWriterOptions {
  readonly type: StreamType;
  readonly localId: MemberId;
  readonly peerId: MemberId;
  readonly status: PeerStatus;
  readonly series: PeerSeries;
  readonly limits: PeerLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Messages were taken that did not go out. */
  readonly onLost: () => void;
}

export class StreamWriter {
  readonly #options: StreamWriterOptions;
  readonly #logger: Logger;
  readonly #queue: SendQueue;
  #stream: OutgoingStream | undefined;
  #encoder: FrameEncoder = new MessageEncoder();
  /** Encoded, and how much of it the socket has. */
  #batch: Buffer | undefined;
  #batchAt = 0;
  #isBlocked = false;
  #isFlushScheduled = false;
  #heartbeatTimer: Timer | undefined;
  /** Runs while the socket takes nothing. */
  readonly #stall: SilenceTimer;

  constructor(options: StreamWriterOptions) {
    this.#options = options;
    this.#logger = options.logger.at("transport/peer/streams/stream-writer.ts");
    this.#queue = new SendQueue(options.limits);
    this.#stall = new SilenceTimer(options.clock, options.limits.streamStallTimeoutMs, () => {
      const stream = this.#stream;
      this.#lose("write", "i/o timeout");
      stream?.destroy();
    });
    this.#log("info", "started stream writer with remote peer");
  }

  get isWorking(): boolean {
    return this.#stream !== undefined;
  }

  /** From now on messages go there; an older stream is ended. */
  attach(stream: OutgoingStream): void {
    const { type, status } = this.#options;
    const hadOne = this.#detach((old) => old.end());
    if (hadOne) this.#log("warn", "closed TCP streaming connection with remote peer");
    this.#stream = stream;
    // Both ends begin with nothing known about each other.
    this.#encoder = type === "append" ? new AppendEncoder() : new MessageEncoder();
    stream.onDrain(() => {
      if (stream === this.#stream) this.#onDrain();
    });
    stream.onClose(() => {
      if (stream === this.#stream) this.#lose("write", "connection closed by the remote");
    });
    status.activate();
    this.#log("info", "established TCP streaming connection with remote peer");
    this.#beatLater();
  }

  /** Only while `isWorking`. False: there is no room, and the message is not taken. */
  send(message: Message): boolean {
    if (!this.#queue.push(message)) return false;
    if (!this.#isBlocked && !this.#isFlushScheduled) {
      // One write for all that is sent in this turn.
      this.#isFlushScheduled = true;
      queueMicrotask(() => {
        this.#isFlushScheduled = false;
        this.#flush();
      });
    }
    return true;
  }

  stop(): void {
    if (this.#detach((stream) => stream.end())) {
      this.#log("warn", "closed TCP streaming connection with remote peer");
    }
    this.#log("info", "stopped TCP streaming connection with remote peer");
  }

  #flush(): void {
    while (this.#stream !== undefined && !this.#isBlocked) {
      this.#batch ??= this.#nextBatch();
      if (this.#batch === undefined) return;
      const end = Math.min(this.#batchAt + this.#options.limits.writeBytes, this.#batch.length);
      const part = this.#batch.subarray(this.#batchAt, end);
      this.#batchAt = end;
      if (end === this.#batch.length) this.#batch = undefined;
      if (!this.#stream.write(part)) this.#block();
    }
  }

  /** The next messages as one chunk. */
  #nextBatch(): Buffer | undefined {
    this.#batchAt = 0;
    let bytes = 0;
    while (bytes < this.#options.limits.batchBytes) {
      const message = this.#queue.shift();
      if (message === undefined) break;
      bytes += this.#encoder.add(message);
    }
    return bytes === 0 ? undefined : this.#encode(bytes);
  }

  #encode(bytes: number): Buffer {
    const buffer = Buffer.allocUnsafe(chunkHeadBytes + bytes + chunkTailBytes);
    const end = this.#encoder.write(buffer, chunkHeadBytes);
    assert(end === chunkHeadBytes + bytes, "peer: a frame's size was worked out wrong");
    sealChunk(buffer);
    this.#options.series.sentBytes.inc(bytes);
    return buffer;
  }

  #block(): void {
    this.#isBlocked = true;
    this.#stall.start();
  }

  #onDrain(): void {
    this.#stall.stop();
    this.#isBlocked = false;
    this.#flush();
  }

  #beatLater(): void {
    const { clock, limits } = this.#options;
    this.#heartbeatTimer = clock.after(limits.linkHeartbeatMs, () => {
      // Whatever else is on its way is as good a sign of life.
      if (!this.#isBlocked && this.#batch === undefined && this.#queue.length === 0) {
        this.#batchAt = 0;
        this.#batch = this.#encode(this.#encoder.add(linkHeartbeat));
        this.#flush();
      }
      if (this.#stream !== undefined) this.#beatLater();
    });
  }

  #lose(action: string, reason: string): void {
    const { status, series, type } = this.#options;
    this.#detach(() => {});
    status.deactivate({ source: streamTypes[type].name, action }, reason);
    series.sentFailures.inc();
    this.#log("warn", "lost TCP streaming connection with remote peer");
  }

  /** Forgets the stream, if there is one, and what waited for it. */
  #detach(end: (stream: OutgoingStream) => void): boolean {
    const stream = this.#stream;
    if (stream === undefined) return false;
    this.#stream = undefined;
    this.#heartbeatTimer?.cancel();
    this.#stall.stop();
    const losesSome = this.#queue.length > 0 || this.#batch !== undefined || this.#isBlocked;
    this.#queue.clear();
    this.#batch = undefined;
    this.#isBlocked = false;
    end(stream);
    if (losesSome) this.#options.onLost();
    return true;
  }

  #log(level: "info" | "warn", text: string): void {
    const { type, localId, peerId } = this.#options;
    this.#logger[level](text, {
      "stream-writer-type": streamTypes[type].name,
      "local-member-id": formatId(localId),
      "remote-peer-id": formatId(peerId),
    });
  }
}
