/** Lease.LeaseKeepAlive as a client sees it. */
import { decodeLeaseId } from "../../../codec/lease.ts";
import type { EtcdError } from "../../../errors/etcd-error.ts";
import type { GrpcCall, StreamRequestHandler } from "../../../transport/grpc.ts";
import { refusalOf } from "../pass-on.ts";
import type { KeepAliveHub, KeepAliveSession, Renewer } from "./keep-alive-hub.ts";

/** So many renewals of one client may be under way; then it is not read for now. */
const renewalsMax = 1_024;

export function keepAliveHandler(hub: KeepAliveHub): StreamRequestHandler {
  return { kind: "stream", open: (call) => new ClientKeepAlive(hub, call) };
}

class ClientKeepAlive implements Renewer {
  readonly #call: GrpcCall;
  readonly #session: KeepAliveSession;
  #underWay = 0;
  #isFull = false;
  #isHalfClosed = false;
  #isOver = false;

  constructor(hub: KeepAliveHub, call: GrpcCall) {
    this.#call = call;
    this.#session = hub.enter(call.metadata);
    call.onDrain(() => {
      this.#isFull = false;
      this.#readOn();
    });
    call.onCancel(() => this.#leave());
    call.sendHeaders();
  }

  onMessage(message: Uint8Array): void {
    if (this.#isOver) return;
    try {
      const id = decodeLeaseId(message);
      this.#underWay++;
      if (this.#underWay >= renewalsMax) this.#call.pause();
      this.#session.renew(id, this);
    } catch (error) {
      this.failed(refusalOf(error));
    }
  }

  onHalfClose(): void {
    this.#isHalfClosed = true;
    this.#endIfDone();
  }

  renewed(message: Uint8Array): void {
    if (this.#isOver) return;
    this.#underWay--;
    if (!this.#call.write(message)) {
      this.#isFull = true;
      this.#call.pause();
    }
    this.#readOn();
    this.#endIfDone();
  }

  failed(error: EtcdError): void {
    if (this.#isOver) return;
    this.#leave();
    this.#call.fail(error);
  }

  #readOn(): void {
    if (!this.#isFull && this.#underWay < renewalsMax) this.#call.resume();
  }

  #endIfDone(): void {
    if (!this.#isHalfClosed || this.#underWay > 0 || this.#isOver) return;
    this.#leave();
    this.#call.end();
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#session.leave(this);
  }
}
