/** Lease.LeaseKeepAlive: each request on the stream renews one lease and is answered, in order. */
import { checkUser } from "../../auth/permission.ts";
import { decodeLeaseId, encodeLeaseKeepAliveResponse } from "../../codec/lease.ts";
import type { LeaseId } from "../../lib/ids.ts";
import type { GrpcCall, StreamRequestHandler } from "../../transport/grpc.ts";
import { StreamRoom } from "../answer-room.ts";
import { callerOf, checkNotStale } from "../caller.ts";
import { statusOf, statusOfStream, stepped } from "../handler.ts";
import type { LeaseSource } from "../rpc-server.ts";
import { checkWritable } from "./check-keys.ts";

/** Requests of one stream that may wait; a client that sends faster is not read meanwhile. */
const waitingMax = 64;

export function keepAliveHandler(server: LeaseSource): StreamRequestHandler {
  return {
    kind: "stream",
    open: (call) => new KeepAliveStream(server, call),
  };
}

class KeepAliveStream {
  readonly #server: LeaseSource;
  readonly #call: GrpcCall;
  #waiting: LeaseId[] = [];
  #busy = false;
  #halfClosed = false;
  #paused = false;
  /** The client does not read its answers. */
  #full = false;
  readonly #room: StreamRoom;

  constructor(server: LeaseSource, call: GrpcCall) {
    this.#server = server;
    this.#call = call;
    this.#room = new StreamRoom(call, () => this.#next());
    call.onDrain(() => {
      this.#full = false;
      this.#next();
    });
  }

  onMessage(message: Uint8Array): void {
    try {
      this.#waiting.push(decodeLeaseId(message));
    } catch (error) {
      this.#call.fail(statusOfStream(error));
      return;
    }
    if (this.#waiting.length >= waitingMax && !this.#paused) {
      this.#paused = true;
      this.#call.pause();
    }
    this.#next();
  }

  onHalfClose(): void {
    this.#halfClosed = true;
    this.#next();
  }

  #next(): void {
    while (!this.#busy && !this.#full && !this.#call.cancelled && this.#waiting.length > 0) {
      if (!this.#room.hasRoom) break;
      this.#renew(this.#waiting.shift()!);
    }
    if (this.#paused && this.#waiting.length < waitingMax / 2) {
      this.#paused = false;
      this.#call.resume();
    }
    if (this.#halfClosed && !this.#busy && this.#waiting.length === 0) this.#call.end();
  }

  #renew(id: LeaseId): void {
    // The header is made before the renewal: a revision in it must not be newer than the moment at which the lease
    // was still alive.
    const header = this.#server.header();
    let returned = false;
    this.#busy = true;
    const renew = () =>
      this.#server.leases.keepAlive(id, (error, ttlSeconds) => {
        this.#busy = false;
        if (error) {
          this.#call.fail(error);
          return;
        }
        this.#full = !this.#call.write(encodeLeaseKeepAliveResponse(header, { id, ttlSeconds }));
        // Answered at once, it is the loop in `#next` that goes on.
        if (returned) this.#next();
      });
    if (this.#server.auth.enabled) {
      this.#check(id).then(renew, (error: unknown) => this.#call.fail(statusOf(error)));
    } else renew();
    returned = true;
  }

  /** Rejects if the client may not renew this lease. Asked for each renewal: a stream lives long. */
  async #check(id: LeaseId): Promise<void> {
    const server = this.#server;
    const caller = await callerOf(server, this.#call);
    checkUser(server.auth.state, caller);
    if (caller === undefined) return;
    await stepped(server, this.#call, checkWritable(server, caller, id));
    checkNotStale(server, caller);
  }
}
