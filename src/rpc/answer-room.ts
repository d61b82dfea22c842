/**
 * Reads whose answers grow while they are read: they stand still when their client's connection, or all of them together,
 * keep more than they may (lib/answer-room.ts), and their room is given back whichever way they end.
 */
import type { EtcdError } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import type { Reading } from "../lib/answer-room.ts";
import type { Steps } from "../lib/steps.ts";
import type { Gate } from "../server/slices.ts";
import type { GrpcCall } from "../transport/grpc.ts";
import type { RpcServer } from "./rpc-server.ts";
import { statusOf } from "./status-of.ts";

/** What one call has read, and where it waits for room. A call from this process has as much as it wants. */
export class AnswerGate implements Gate {
  readonly #call: GrpcCall;
  #reading: Reading | undefined;
  #bytes = 0;
  #isOver = false;

  constructor(call: GrpcCall) {
    this.#call = call;
  }

  /** So many bytes more are kept until the answer is on its way. */
  add(bytes: number): void {
    this.#bytes += bytes;
    this.#reading?.add(bytes);
  }

  /** Most reads are over before the turn is, and never come to this. */
  goOnLater(): void {
    const { room } = this.#call.peer;
    if (this.#isOver || this.#reading !== undefined || room === undefined || this.#call.cancelled) return;
    const reading = room.begin();
    this.#reading = reading;
    reading.add(this.#bytes);
    this.#call.onCancel(() => reading.end());
  }

  mayGoOn(): boolean {
    return this.#reading === undefined || this.#reading.mayGoOn();
  }

  wait(resume: () => void): void {
    this.#reading!.wait(resume);
  }

  /** The answer is on its way, or there is none. */
  end(): void {
    this.#isOver = true;
    this.#reading?.end();
  }
}

export interface Read<T> {
  readonly call: GrpcCall;
  readonly gate: AnswerGate;
  /** Tell `gate` what they gather. */
  readonly steps: Steps<T>;
  /** Puts the answer on its way; true if there is more to read for it, with the same gate. */
  readonly done: (value: T) => unknown;
  readonly failed: (error: EtcdError) => void;
}

/** Runs a read while there is room for what it gathers. */
export function runRead<T>(server: Pick<RpcServer, "runSteps">, read: Read<T>): void {
  const { call, gate, steps, done, failed } = read;
  server.runSteps(
    steps,
    (value) => {
      if (done(value) !== true) gate.end();
    },
    (error) => {
      gate.end();
      failed(error);
    },
    () => call.cancelled,
    gate,
  );
  gate.goOnLater();
}

/**
 * For a call on whose connection answers wait that its client does not read: `begin` is called when there is room, and not at
 * all if the call is over by then. Requests that wait are kept like unread ones, and so is how many they may be.
 */
export function beginLater(
  call: GrpcCall,
  message: Uint8Array,
  begin: (call: GrpcCall, message: Uint8Array) => void,
): void {
  const room = call.peer.room!;
  const leave = room.waitFor(message.length, () => {
    try {
      begin(call, message);
    } catch (error) {
      call.fail(statusOf(error));
    }
  });
  if (leave === undefined) call.fail(errors.tooManyRequests());
  else call.onCancel(leave);
}

/** For streams of answers: whether there is room for one more. If not, `onRoom` is called when there is. */
export class StreamRoom {
  readonly #call: GrpcCall;
  readonly #onRoom: () => void;
  #isWaiting = false;

  constructor(call: GrpcCall, onRoom: () => void) {
    this.#call = call;
    this.#onRoom = onRoom;
  }

  get hasRoom(): boolean {
    const { room } = this.#call.peer;
    if (this.#isWaiting) return false;
    if (room?.isCrowded !== true) return true;
    this.#isWaiting = true;
    const leave = room.waitFor(0, () => {
      this.#isWaiting = false;
      this.#onRoom();
    });
    if (leave !== undefined) this.#call.onCancel(leave);
    return false;
  }
}
