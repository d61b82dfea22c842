/** Changes of keys, as they happen. */
import type { Client, RequestOptions } from "../client/client.ts";
import { ClientError } from "../client/client-error.ts";
import type { MessageStream } from "../client/message-stream.ts";
import type * as wire from "../client/messages/watch.ts";
import { watch } from "../client/methods/watch.ts";
import { EtcdError, GrpcCode } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import { type KeyRange, KeyValue, rangeEnd } from "./kv.ts";
import { type Bytes, toBytes } from "./text.ts";

export interface WatchOptions extends RequestOptions, KeyRange {
  /** From this revision on, history included; from now on without it. */
  readonly startRevision?: bigint;
  /** What was there before a change comes with it. */
  readonly previous?: boolean;
}

export interface WatchEvent {
  readonly type: "put" | "delete";
  readonly kv: KeyValue;
  readonly previous: KeyValue | undefined;
}

/** `type` of mvccpb.Event. */
const deleted = 1;

function failure(message: string, compactRevision: bigint): ClientError {
  const error = compactRevision > 0n ? errors.compacted() : new EtcdError(GrpcCode.canceled, message);
  return new ClientError(error, message);
}

/** Iterate over it; leaving the loop, or `close`, ends it. */
export class Watcher implements AsyncIterable<WatchEvent>, AsyncDisposable {
  readonly #stream: MessageStream<wire.WatchRequest, wire.WatchResponse>;

  private constructor(stream: MessageStream<wire.WatchRequest, wire.WatchResponse>) {
    this.#stream = stream;
  }

  /** Resolves when the server watches: what is put from then on is seen. Rejects with a ClientError. */
  static async open(client: Client, key: Bytes, options: WatchOptions = {}): Promise<Watcher> {
    const { startRevision = 0n, previous = false, ...others } = options;
    const stream = await client.duplex(watch, others);
    const first = toBytes(key);
    const isAll = first.length === 0 && options.prefix === true;
    stream.send({
      create_request: {
        key: isAll ? new Uint8Array(1) : first,
        range_end: rangeEnd(first, options),
        start_revision: startRevision,
        prev_kv: previous,
      },
    });
    const created = await stream.next();
    if (created === undefined || created.canceled) {
      stream.cancel();
      throw failure(created?.cancel_reason || "the watch was not made", created?.compact_revision ?? 0n);
    }
    return new Watcher(stream);
  }

  close(): void {
    this.#stream.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Throws a ClientError when the server ends the watch: the revision it starts at is gone (compacted), for one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<WatchEvent, void, undefined> {
    for await (const { events, canceled, cancel_reason, compact_revision } of this.#stream) {
      if (canceled) {
        const why = compact_revision > 0n ? `compacted up to revision ${compact_revision}` : cancel_reason;
        throw failure(`the watch was cancelled: ${why}`, compact_revision);
      }
      for (const { type, kv, prev_kv } of events) {
        if (kv === undefined) continue;
        const previous = prev_kv && new KeyValue(prev_kv);
        yield { type: type === deleted ? "delete" : "put", kv: new KeyValue(kv), previous };
      }
    }
  }
}
