/**
 * A client for tests that says exactly what it is told to, right or wrong, and shows every frame that comes back.
 */
import { connect, type Socket } from "node:net";
import { HpackDecoder } from "../hpack/decoder.ts";
import { encodeFields, type Field } from "../hpack/encoder.ts";
import { clientPreface, defaultHeaderTableBytes } from "../http2/protocol.ts";

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** An answer as a test likes to look at it. */
export interface Answer {
  readonly status: string | undefined;
  readonly headers: Record<string, string>;
  readonly trailers: Record<string, string>;
  readonly body: Buffer;
  /** The code of the RST_STREAM that ended it. */
  readonly resetCode: number | undefined;
}

/** How long a test waits for what it expects. */
const patienceMs = 60_000;

export class RawClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  isClosed = false;
  private buffered: Buffer = Buffer.alloc(0);
  private settingsSent = 0;
  private waiters: (() => void)[] = [];
  private readonly decoder = new HpackDecoder({ tableBytes: defaultHeaderTableBytes, maxListBytes: 1 << 20 });
  private readonly lists = new Map<Frame, string[]>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => this.receive(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
      this.wake();
    });
  }

  /** Connects without a word. */
  static async plain(port: number): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return client;
  }

  /** Connects, and sends the preface and these settings. */
  static async open(port: number, settings: readonly (readonly [number, number])[] = []): Promise<RawClient> {
    const client = await RawClient.plain(port);
    client.send(clientPreface);
    client.settings(settings);
    return client;
  }

  // ---- out ----

  send(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  frame(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): void {
    this.send(frameBytes(type, flags, streamId, payload));
  }

  settings(values: readonly (readonly [number, number])[]): void {
    const payload = Buffer.alloc(6 * values.length);
    for (const [index, [id, value]] of values.entries()) {
      payload.writeUInt16BE(id, 6 * index);
      payload.writeUInt32BE(value, 6 * index + 2);
    }
    this.settingsSent++;
    this.frame(4, 0, 0, payload);
  }

  headers(streamId: number, fields: readonly Field[], isEnd: boolean): void {
    this.frame(1, isEnd ? 5 : 4, streamId, encodeFields(fields));
  }

  data(streamId: number, payload: Uint8Array, isEnd: boolean): void {
    this.frame(0, isEnd ? 1 : 0, streamId, payload);
  }

  windowUpdate(streamId: number, increment: number): void {
    this.frame(8, 0, streamId, uint32(increment));
  }

  reset(streamId: number, code = 8): void {
    this.frame(3, 0, streamId, uint32(code));
  }

  ping(payload = "12345678"): void {
    this.frame(6, 0, 0, Buffer.from(payload, "latin1"));
  }

  /** Opens a gRPC call. */
  call(streamId: number, path: string, more: readonly Field[] = []): void {
    this.headers(streamId, [...grpcFields(path), ...more], false);
  }

  /** A whole unary call. */
  unary(streamId: number, path: string, message: Uint8Array): void {
    this.call(streamId, path);
    this.data(streamId, grpcMessage(message), true);
  }

  destroy(): void {
    this.socket.destroy();
  }

  // ---- in ----

  private receive(chunk: Buffer): void {
    this.buffered = Buffer.concat([this.buffered, chunk]);
    while (this.buffered.length >= 9) {
      const length = this.buffered.readUIntBE(0, 3);
      if (this.buffered.length < 9 + length) break;
      const frame: Frame = {
        type: this.buffered[3]!,
        flags: this.buffered[4]!,
        streamId: this.buffered.readUInt32BE(5),
        payload: this.buffered.subarray(9, 9 + length),
      };
      this.buffered = this.buffered.subarray(9 + length);
      if (frame.type === 1) {
        this.lists.set(frame, this.decoder.decode(frame.payload, 0, frame.payload.length).fields);
      }
      this.frames.push(frame);
    }
    this.wake();
  }

  private wake(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const waiter of waiters) waiter();
  }

  /** Waits until `find` finds something. Rejects after a while, or once the connection is closed. */
  async until<T>(what: string, find: () => T | undefined): Promise<T> {
    const endMs = performance.now() + patienceMs;
    for (;;) {
      const found = find();
      if (found !== undefined && found !== false) return found;
      if (this.isClosed)
        throw new Error(`connection closed while waiting for ${what}; got ${this.summary()}`);
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) throw new Error(`no ${what} in time; got ${this.summary()}`);
      await this.change(leftMs);
    }
  }

  private change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.waiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private summary(): string {
    return JSON.stringify(this.frames.slice(-8).map(({ type, flags, streamId }) => [type, flags, streamId]));
  }

  async closed(): Promise<void> {
    const endMs = performance.now() + patienceMs;
    while (!this.isClosed) {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) throw new Error(`connection still open; got ${this.summary()}`);
      await this.change(leftMs);
    }
  }

  /** The first frame of a type (and stream). */
  frameOf(type: number, streamId?: number): Promise<Frame> {
    return this.until(`frame of type ${type}`, () =>
      this.frames.find(
        (frame) => frame.type === type && (streamId === undefined || frame.streamId === streamId),
      ),
    );
  }

  /** Waits for GOAWAY: its error code and text. */
  async goaway(): Promise<{ lastStreamId: number; code: number; text: string }> {
    const { payload } = await this.frameOf(7);
    const text = payload.toString("latin1", 8);
    return { lastStreamId: payload.readUInt32BE(0), code: payload.readUInt32BE(4), text };
  }

  /** Waits for RST_STREAM of a stream: its code. */
  async resetCode(streamId: number): Promise<number> {
    return (await this.frameOf(3, streamId)).payload.readUInt32BE(0);
  }

  /** A round trip (by SETTINGS: pings are counted): all that was sent before has been handled. */
  async sync(): Promise<void> {
    this.settings([]);
    const expected = this.settingsSent;
    await this.until("answer to SETTINGS", () => {
      const answers = this.frames.filter(({ type, flags }) => type === 4 && flags === 1);
      return answers.length >= expected || undefined;
    });
  }

  fieldsOf(frame: Frame): Record<string, string> {
    const fields: Record<string, string> = {};
    const list = this.lists.get(frame) ?? [];
    for (let at = 0; at < list.length; at += 2) fields[list[at]!] = list[at + 1]!;
    return fields;
  }

  /** Body octets that came on a stream so far. */
  bodyOf(streamId: number): Buffer {
    const pieces = this.frames.filter(({ type, streamId: id }) => type === 0 && id === streamId);
    return Buffer.concat(pieces.map(({ payload }) => payload));
  }

  /** Waits for the end of a stream. */
  async answer(streamId: number): Promise<Answer> {
    const last = await this.until(`end of stream ${streamId}`, () =>
      this.frames.find(
        ({ type, flags, streamId: id }) =>
          id === streamId && (type === 3 || (type <= 1 && (flags & 1) === 1)),
      ),
    );
    const blocks = this.frames.filter(({ type, streamId: id }) => type === 1 && id === streamId);
    const headers = blocks[0] === undefined ? {} : this.fieldsOf(blocks[0]);
    const trailers = blocks[1] === undefined ? headers : this.fieldsOf(blocks[1]);
    const resetCode = last.type === 3 ? last.payload.readUInt32BE(0) : undefined;
    return { status: headers[":status"], headers, trailers, body: this.bodyOf(streamId), resetCode };
  }
}

export function frameBytes(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A message with its gRPC prefix. */
export function grpcMessage(message: Uint8Array, flag = 0): Buffer {
  return Buffer.concat([Buffer.of(flag), uint32(message.length), message]);
}

/** The messages in a body. */
export function grpcMessages(body: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const length = body.readUInt32BE(at + 1);
    messages.push(body.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return messages;
}

export function requestFields(method: string, path: string): Field[] {
  return [
    [":method", method],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
  ];
}

export function grpcFields(path: string): Field[] {
  return [...requestFields("POST", path), ["content-type", "application/grpc"], ["te", "trailers"]];
}
