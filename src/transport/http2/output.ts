/**
 * What a connection has to say, encoded straight into a buffer, and handed to the socket in one write per turn.
 *
 * Frames are appended while callbacks run; the first byte of a turn puts the output into the flush queue, which is
 * emptied by one microtask after the callback that filled it. Buffers are borrowed from a pool shared by all
 * connections, so an idle connection holds none.
 */
import type { Duplex } from "node:stream";

/** Size of the pooled buffers: the largest single write, and room for a frame of the default largest size. */
export const outputBufferBytes = 64 * 1024;
/** How many free buffers the pool keeps: 4 MiB. */
const pooledBuffersMax = 64;

export class BufferPool {
  private readonly free: Buffer[] = [];

  take(): Buffer {
    return this.free.pop() ?? Buffer.allocUnsafeSlow(outputBufferBytes);
  }

  give(buffer: Buffer): void {
    if (this.free.length < pooledBuffersMax) this.free.push(buffer);
  }
}

/** Something that has output to flush. `flush` must not throw: others come after it. */
export interface Flushable {
  flush(): void;
}

/** The longest that connections are flushed in one go, and how many between two looks at the clock. */
const flushBudgetMs = 5;
const flushesPerClockLook = 16;

/** Everything with unflushed output, shared by the connections of a server. */
export class FlushQueue {
  private dirty: Flushable[] = [];
  private readonly now: () => number;
  private readonly drain = (): void => {
    const batch = this.dirty;
    this.dirty = [];
    const endMs = this.now() + flushBudgetMs;
    for (const [index, output] of batch.entries()) {
      if ((index + 1) % flushesPerClockLook === 0 && this.now() > endMs) {
        this.postpone(batch.slice(index));
        return;
      }
      output.flush();
    }
  };

  /** `now` is a clock in milliseconds. */
  constructor(now: () => number) {
    this.now = now;
  }

  add(output: Flushable): void {
    if (this.dirty.push(output) === 1) queueMicrotask(this.drain);
  }

  /** Others first: the rest is flushed in a later turn. */
  private postpone(rest: readonly Flushable[]): void {
    setImmediate(() => {
      for (const output of rest) this.add(output);
    });
  }
}

const none = Buffer.alloc(0);

export class Output {
  /** The buffer being filled, and how far it is. Callers write after `reserve`, and then advance `length`. */
  bytes: Buffer = none;
  length = 0;
  /** True while `highWaterBytes` or more wait in the socket. */
  blocked = false;
  /** Bytes handed to the socket since the connection began. */
  sentBytes = 0;
  private closed = false;
  private readonly socket: Duplex;
  private readonly pool: BufferPool;
  private readonly highWaterBytes: number;
  private readonly onFirstByte: () => void;

  constructor(options: {
    readonly socket: Duplex;
    readonly pool: BufferPool;
    readonly highWaterBytes: number;
    /** Called when output begins to wait for a flush. */
    readonly onFirstByte: () => void;
  }) {
    this.socket = options.socket;
    this.pool = options.pool;
    this.highWaterBytes = options.highWaterBytes;
    this.onFirstByte = options.onFirstByte;
  }

  /** Makes `bytes` have room for `count` more (at most `outputBufferBytes`) and returns where they start. */
  reserve(count: number): number {
    if (this.bytes.length - this.length < count) {
      if (this.length > 0) this.send();
      this.bytes = this.pool.take();
      this.onFirstByte();
    }
    return this.length;
  }

  /** Appends bytes of any length. */
  append(bytes: Uint8Array, start = 0, end = bytes.length): void {
    while (start < end) {
      const at = this.reserve(Math.min(end - start, 1024));
      const take = Math.min(end - start, this.bytes.length - at);
      this.bytes.set(take === bytes.length ? bytes : bytes.subarray(start, start + take), at);
      this.length = at + take;
      start += take;
    }
  }

  /** Whether the kernel has everything. */
  get isIdle(): boolean {
    return this.length === 0 && this.socket.writableLength === 0;
  }

  /** Hands what is encoded to the socket. */
  send(): void {
    const { bytes, length } = this;
    this.bytes = none;
    this.length = 0;
    if (length === 0 || this.closed) return;
    this.sentBytes += length;
    this.socket.write(length === bytes.length ? bytes : bytes.subarray(0, length));
    const waiting = this.socket.writableLength;
    // Nothing waits, so every write has called back: the kernel has a copy and the buffer is free again.
    if (waiting === 0) this.pool.give(bytes);
    else if (waiting >= this.highWaterBytes) this.blocked = true;
  }

  /** The socket's "drain" event: everything it held is gone. */
  onDrain(): void {
    this.blocked = false;
  }

  /** From now on output is dropped. */
  close(): void {
    this.closed = true;
    this.bytes = none;
    this.length = 0;
  }
}
