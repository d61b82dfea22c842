/** Makes the WatchResponses of one stream, in fragments where a client wants that. */
import {
  emptyWatchResponse,
  encodeWatchResponse,
  type WatchResponse,
  watchResponseSize,
} from "../../codec/watch.ts";
import type { Revision } from "../../lib/ids.ts";
import type { StoreEvent } from "../../mvcc/types.ts";
import { noWatchId, type WatcherInfo, type WatchSink } from "../../mvcc/watch/types.ts";
import { type GrpcCall, grpcOverheadBytes } from "../../transport/grpc.ts";
import { StreamRoom } from "../answer-room.ts";
import type { RpcServer, WatchService } from "../rpc-server.ts";

export class WatchAnswers implements WatchSink {
  readonly #server: RpcServer & Pick<WatchService, "maxRequestBytes">;
  readonly #call: GrpcCall;
  /** The client has more to read than it takes. */
  full = false;

  readonly #room: StreamRoom;

  /** `onRoom` is called when `hasRoom` has said that there is none, and there is. */
  constructor(server: WatchService, call: GrpcCall, onRoom: () => void) {
    this.#server = server;
    this.#call = call;
    this.#room = new StreamRoom(call, onRoom);
  }

  hasRoom(): boolean {
    return this.#room.hasRoom;
  }

  created(watchId: bigint): void {
    this.#send({ ...emptyWatchResponse, watchId, created: true }, this.#server.store.revision);
  }

  refused(cancelReason: string): void {
    const refusal = {
      ...emptyWatchResponse,
      watchId: noWatchId,
      created: true,
      canceled: true,
      cancelReason,
    };
    this.#send(refusal, this.#server.store.revision);
  }

  canceled(watchId: bigint): void {
    this.#send({ ...emptyWatchResponse, watchId, canceled: true }, this.#server.store.revision);
  }

  compacted(watchId: bigint, compactRevision: Revision): boolean {
    return this.#send({ ...emptyWatchResponse, watchId, canceled: true, compactRevision }, 0);
  }

  progress(watchId: bigint, revision: Revision): boolean {
    return this.#send({ ...emptyWatchResponse, watchId }, revision);
  }

  events(watcher: WatcherInfo, events: readonly StoreEvent[], revision: Revision): boolean {
    const encoded = events.map((event) => event.bytes(watcher.prevKv));
    const answer = { ...emptyWatchResponse, watchId: watcher.id, events: encoded };
    if (!watcher.fragment) return this.#send(answer, revision);
    for (const part of this.#fragments(answer, revision)) this.#send(part, revision);
    return !this.full;
  }

  /** As etcd splits it: parts of less than the limit each, or of one event; all but the last are marked. */
  *#fragments(answer: WatchResponse, revision: number): Iterable<WatchResponse> {
    const limit = this.#server.maxRequestBytes + grpcOverheadBytes;
    const header = this.#server.headerAt(revision);
    if (watchResponseSize(header, answer) < limit) return yield answer;
    const headBytes = watchResponseSize(header, { ...answer, events: [], fragment: true });
    let part: Uint8Array[] = [];
    let bytes = headBytes;
    for (const event of answer.events) {
      if (part.length > 0 && bytes + event.length >= limit) {
        yield { ...answer, events: part, fragment: true };
        part = [];
        bytes = headBytes;
      }
      part.push(event);
      bytes += event.length;
    }
    yield { ...answer, events: part };
  }

  #send(answer: WatchResponse, revision: number): boolean {
    const took = this.#call.write(encodeWatchResponse(this.#server.headerAt(revision), answer));
    this.full = !took;
    return took;
  }
}
