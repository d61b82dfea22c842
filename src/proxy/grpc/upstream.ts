/** Calls to the servers behind the proxy: what a client sent goes on as it came, with its metadata and its deadline. */
import type { CallChannel, OpenCall } from "../../client/channel.ts";
import type { StreamListener } from "../../client/http2/stream.ts";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import { PatientTimer } from "../../lib/patient-timer.ts";
import type { GrpcCall, Metadata } from "../../transport/grpc.ts";
import type { Field } from "../../transport/hpack/encoder.ts";

/** A call waits so long for a connection; then its client may better ask another proxy. */
const connectWaitMs = 5_000;
/** More calls at once are refused, and so are more bytes of their requests. */
const callsMax = 65_536;
const requestBytesMax = 512 * 1024 * 1024;

/** Said by us for ourselves, and not passed on. */
const ownFields: ReadonlySet<string> = new Set(["user-agent", "grpc-accept-encoding", "accept-encoding"]);

export interface UpstreamCallOptions {
  readonly metadata: readonly Field[];
  /** By `performance.now()`. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class Upstream {
  readonly channel: CallChannel;
  readonly #connectWaitMs: number;
  #calls = 0;
  #requestBytes = 0;

  constructor(channel: CallChannel, options: { readonly connectWaitMs?: number } = {}) {
    this.channel = channel;
    this.#connectWaitMs = options.connectWaitMs ?? connectWaitMs;
  }

  /** Calls that clients wait for. */
  get calls(): number {
    return this.#calls;
  }

  /** Counts a client's call, until what it gives back is called. Throws ResourceExhausted if there are too many. */
  enter(requestBytes: number): () => void {
    if (this.#calls >= callsMax || this.#requestBytes + requestBytes > requestBytesMax) {
      throw new EtcdError(GrpcCode.resourceExhausted, "etcdserver: too many requests");
    }
    this.#calls++;
    this.#requestBytes += requestBytes;
    return () => {
      this.#calls--;
      this.#requestBytes -= requestBytes;
    };
  }

  /** As `open`, for one whose listener gives up by `cancel` alone: undefined if no connection stands just now. */
  openNow(
    path: string,
    listener: StreamListener,
    options: Omit<UpstreamCallOptions, "signal">,
  ): OpenCall | undefined {
    return this.channel.openNow(path, guarded(listener), options);
  }

  /**
   * Begins a call. Rejects with Unavailable if no server can be reached for some seconds, and as Channel does. The
   * listener is told of the end of a call that is open, and of nothing else.
   */
  async open(path: string, listener: StreamListener, options: UpstreamCallOptions): Promise<OpenCall> {
    const { metadata, deadlineMs, signal } = options;
    const giveUp = new AbortController();
    const onAbort = (): void => giveUp.abort();
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    let isLate = false;
    const timer = new PatientTimer(this.#connectWaitMs, () => {
      isLate = true;
      onAbort();
    });
    let isOpen = false;
    try {
      const heard = guarded(listener, () => signal?.removeEventListener("abort", onAbort));
      const call = await this.channel.open(path, heard, { metadata, deadlineMs, signal: giveUp.signal });
      isOpen = true;
      return call;
    } catch (error) {
      if (isLate && !signal?.aborted) throw unreachable(this.channel.connectError);
      throw error;
    } finally {
      timer.cancel();
      if (!isOpen) signal?.removeEventListener("abort", onAbort);
    }
  }
}

/** Hears of the end of a call in the words that are for clients. */
function guarded(listener: StreamListener, atEnd?: () => void): StreamListener {
  return {
    onMessage: (message) => listener.onMessage(message),
    onEnd: (error, isUnseen) => {
      atEnd?.();
      listener.onEnd(isOurClosing(error) ? unreachable(error?.message) : error, isUnseen);
    },
  };
}

/** A server that is no longer among the endpoints: nobody gave the call up, and another server may take it. */
function isOurClosing(error: EtcdError | undefined): boolean {
  return error?.code === GrpcCode.canceled && error.message === "grpc: the client connection is closing";
}

function unreachable(why: string | undefined): EtcdError {
  return new EtcdError(GrpcCode.unavailable, why ?? "no server behind the proxy can be reached");
}

/** What goes on of a call's metadata: all but what belongs to the connection. */
export function metadataOf(metadata: Metadata): Field[] {
  const fields: Field[] = [];
  for (const [name, value] of metadata.entries()) {
    if (name.startsWith(":") || name.startsWith("grpc-") || ownFields.has(name)) continue;
    fields.push([name, name.endsWith("-bin") ? Buffer.from(value, "latin1").toString("base64") : value]);
  }
  return fields;
}

/** When `call` has to be over, by `performance.now()`. */
export function deadlineOf(call: GrpcCall): number | undefined {
  return call.timeoutMs === undefined ? undefined : performance.now() + call.timeoutMs;
}
