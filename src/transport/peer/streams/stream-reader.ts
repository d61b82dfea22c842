/** Asks one member for a stream, reads messages from it, and asks again when it ends. */
import type { Clock } from "../../../lib/clock.ts";
import type { MemberId } from "../../../lib/ids.ts";
import type { Logger } from "../../../lib/logger.ts";
import type { Message } from "../../../lib/raft-message.ts";
import { formatId } from "../../../membership/member.ts";
import {
  clusterIdMismatch,
  identityHeaders,
  incompatibleVersion,
  type LocalIdentity,
  memberRemoved,
} from "../cluster-headers.ts";
import { AppendDecoder } from "../frames/append-frames.ts";
import { type FrameDecoder, FrameError } from "../frames/frame.ts";
import { MessageDecoder } from "../frames/message-frames.ts";
import type { HttpClient } from "../http1/client.ts";
import type { ResponseStream } from "../http1/response-stream.ts";
import { SilenceTimer } from "../http1/silence-timer.ts";
import type { PeerLimits } from "../limits.ts";
import type { PeerSeries } from "../peer-metrics.ts";
import type { PeerStatus } from "../peer-status.ts";
import type { UrlPicker } from "../url-picker.ts";
import { compareMinor, headerVersion } from "../version.ts";
import { type StreamType, streamTypes } from "./stream-type.ts";

export interface StreamReaderOptions {
  readonly type: StreamType;
  readonly local: LocalIdentity;
  readonly peerId: MemberId;
  readonly picker: UrlPicker;
  readonly status: PeerStatus;
  readonly series: PeerSeries;
  readonly client: HttpClient;
  readonly dialTimeoutMs: number;
  readonly limits: PeerLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onMessages: (messages: readonly Message[]) => void;
  readonly onLocalRemoved: () => void;
}

/** Servers before this version have other streams. */
const oldestWithStreams = { major: 2, minor: 1 };
const refusalTextBytes = 4 * 1024;

/** The other side cannot serve this stream: no reason to call it dead. */
class UnsupportedStream extends Error {}

export class StreamReader {
  readonly #options: StreamReaderOptions;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #stream: ResponseStream | undefined;
  /** Between two attempts. */
  #waitMs: number;
  #dialledMs = 0;
  /** Cuts the wait before the next dial short. */
  #wakeUp: (() => void) | undefined;
  #isPaused = false;
  /** A healthy member sends something every now and then, if only a sign of life. */
  readonly #silence: SilenceTimer;

  constructor(options: StreamReaderOptions) {
    this.#options = options;
    this.#logger = options.logger.at("transport/peer/streams/stream-reader.ts");
    this.#waitMs = options.limits.redialMinMs;
    this.#silence = new SilenceTimer(options.clock, options.limits.streamTimeoutMs, () => {
      this.#stream?.destroy(new Error("i/o timeout"));
    });
  }

  start(): void {
    this.#log("info", "started stream reader with remote peer");
    void this.#run();
  }

  stop(): void {
    this.#stopping.abort();
    this.#silence.stop();
    this.#stream?.destroy();
    this.#wakeUp?.();
  }

  /** The member has just been heard from: worth dialling soon. */
  wake(): void {
    if (this.#waitMs <= this.#options.limits.redialMinMs) return;
    this.#waitMs = this.#options.limits.redialMinMs;
    this.#wakeUp?.();
  }

  /** Reads no more until `resume`; the sender will have to wait. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#silence.stop();
    this.#stream?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#stream === undefined) return;
    this.#silence.start();
    this.#stream.resume();
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#once();
      if (!this.#isStopped) await this.#wait();
    }
    this.#log("info", "stopped stream reader with remote peer");
  }

  /** Dials, and reads until the stream ends. */
  async #once(): Promise<void> {
    const { status, type } = this.#options;
    const { name } = streamTypes[type];
    let stream: ResponseStream;
    try {
      stream = await this.#dial();
    } catch (error) {
      if (this.#isStopped || error instanceof UnsupportedStream) return;
      status.deactivate({ source: name, action: "dial" }, (error as Error).message);
      return;
    }
    if (this.#isStopped) {
      stream.destroy();
      return;
    }
    status.activate();
    this.#log("info", "established TCP streaming connection with remote peer");
    const error = await this.#read(stream);
    if (this.#isStopped) return;
    this.#log("warn", "lost TCP streaming connection with remote peer", { error: error?.message ?? "EOF" });
    // A stream that ends in good order says that the member replaced it, or stops.
    if (error !== undefined) status.deactivate({ source: name, action: "read" }, error.message);
  }

  /** Resolves to a stream of messages; rejects with why there is none. */
  async #dial(): Promise<ResponseStream> {
    const { type, local, peerId, picker, client, limits, dialTimeoutMs, clock } = this.#options;
    this.#dialledMs = clock.monotonicMs();
    const url = picker.pick();
    const path = `${streamTypes[type].path}/${formatId(local.id)}`;
    const headers = { ...identityHeaders(local), "X-Raft-To": formatId(peerId) };
    try {
      const options = { timeoutMs: dialTimeoutMs + limits.streamTimeoutMs, signal: this.#stopping.signal };
      const stream = await client.open(url, { method: "GET", path, headers }, options);
      await this.#checkAnswer(stream);
      return stream;
    } catch (error) {
      picker.unreachable(url);
      throw error;
    }
  }

  async #checkAnswer(stream: ResponseStream): Promise<void> {
    const { local, peerId, onLocalRemoved } = this.#options;
    const version = headerVersion(stream.headers.get("x-server-version") ?? "");
    if (version === undefined || compareMinor(version, oldestWithStreams) < 0) {
      stream.destroy();
      throw new UnsupportedStream("unsupported stream type");
    }
    if (stream.status === 200) return;
    const text = await stream.readText(refusalTextBytes).catch(() => "");
    stream.destroy();
    switch (stream.status) {
      case 410:
        onLocalRemoved();
        throw new Error(memberRemoved);
      case 404:
        throw new Error(`peer ${formatId(peerId)} failed to find local node ${formatId(local.id)}`);
      case 412:
        this.#explainMismatch(stream, text.replace(/\n$/, ""));
        throw new Error(text.replace(/\n$/, ""));
      default:
        throw new Error(`unhandled http status ${stream.status}`);
    }
  }

  #explainMismatch(stream: ResponseStream, text: string): void {
    const { local } = this.#options;
    if (text === incompatibleVersion) {
      const why = "request sent was ignored by remote peer due to server version incompatibility";
      this.#log("warn", why, { error: text });
    } else if (text === clusterIdMismatch) {
      this.#log("warn", "request sent was ignored by remote peer due to cluster ID mismatch", {
        "remote-peer-cluster-id": stream.headers.get("x-etcd-cluster-id") ?? "",
        "local-member-cluster-id": formatId(local.clusterId),
        error: text,
      });
    }
  }

  /** Resolves when the stream ends: with an error, or with nothing if it ended in good order. */
  #read(stream: ResponseStream): Promise<Error | undefined> {
    const { type, local, peerId, limits, series, onMessages } = this.#options;
    const decoder: FrameDecoder =
      type === "append" ? new AppendDecoder(local.id, peerId, limits) : new MessageDecoder(limits);
    return new Promise((resolve) => {
      const finish = (error: Error | undefined): void => {
        this.#silence.stop();
        this.#stream = undefined;
        resolve(error);
      };
      this.#stream = stream;
      if (!this.#isPaused) this.#silence.start();
      stream.consume({
        data: (bytes) => {
          this.#silence.heard();
          this.#waitMs = limits.redialMinMs;
          series.receivedBytes.inc(bytes.length);
          const messages: Message[] = [];
          try {
            decoder.push(bytes, messages);
          } catch (error) {
            if (!(error instanceof FrameError)) throw error;
            stream.destroy(error);
          }
          if (messages.length > 0) onMessages(messages);
        },
        end: () => finish(undefined),
        fail: finish,
      });
      if (this.#isPaused) stream.pause();
    });
  }

  /** Until the last attempt is long enough ago: a stream that stood for a while is dialled again at once. */
  async #wait(): Promise<void> {
    const { clock, limits } = this.#options;
    const waitMs = Math.max(0, this.#dialledMs + this.#waitMs - clock.monotonicMs());
    this.#waitMs = Math.min(limits.redialMaxMs, this.#waitMs * 2);
    await new Promise<void>((resolve) => {
      const timer = clock.after(waitMs, resolve);
      this.#wakeUp = () => {
        timer.cancel();
        // Not at once: whoever just came up may still be busy coming up.
        if (this.#isStopped) resolve();
        else clock.after(Math.min(waitMs, limits.redialMinMs), resolve);
      };
    });
    this.#wakeUp = undefined;
  }

  #log(level: "info" | "warn", text: string, more: Readonly<Record<string, string>> = {}): void {
    const { type, local, peerId } = this.#options;
    this.#logger[level](text, {
      "stream-reader-type": streamTypes[type].name,
      "local-member-id": formatId(local.id),
      "remote-peer-id": formatId(peerId),
      ...more,
    });
  }
}
