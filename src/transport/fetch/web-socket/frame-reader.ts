/**
 * Reads the frames that a client sends. Nothing of a message is kept here: its octets are handed on as they come, so
 * that what is announced costs nothing. The words of its refusals are those that etcd's clients see.
 */
import { CloseCode, controlBytesMax, Opcode } from "./frames.ts";

export interface FrameSink {
  /** A part of a message, unmasked; not to be kept. */
  onPayload(bytes: Uint8Array): void;
  onMessageEnd(): void;
  onPing(payload: Buffer): void;
  /** The client wants no more. `code` is undefined if it did not say why. Nothing is read after it. */
  onClose(code: number | undefined): void;
}

/** The connection has to be closed with `code`. */
export class FrameError extends Error {
  readonly code: CloseCode;

  constructor(code: CloseCode, message: string) {
    super(message);
    this.code = code;
  }
}

const broken = (what: string): FrameError => new FrameError(CloseCode.protocolError, what);

/** The longest head: two octets, a length of eight, a mask of four. */
const headBytesMax = 14;
const maskBytes = 4;

export class ClientFrameReader {
  readonly #sink: FrameSink;
  readonly #messageBytesMax: number;
  readonly #head = Buffer.alloc(headBytesMax);
  #headLength = 0;
  #headNeeded = 2;
  /** Of the frame that is being read; undefined between frames. */
  #opcode: Opcode | undefined;
  #isLast = true;
  #left = 0;
  #maskAt = 0;
  #control = Buffer.alloc(0);
  /** A message has begun and not ended. */
  #isInMessage = false;
  #messageBytes = 0;
  #isOver = false;

  /** A message longer than `messageBytesMax` is refused. */
  constructor(sink: FrameSink, messageBytesMax: number) {
    this.#sink = sink;
    this.#messageBytesMax = messageBytesMax;
  }

  /** Takes what came from the socket; `chunk` is changed. Throws FrameError; then there is no going on. */
  read(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#isOver) {
      if (this.#opcode === undefined) at = this.#readHead(chunk, at);
      else {
        const end = Math.min(chunk.length, at + this.#left);
        this.#payload(chunk.subarray(at, end));
        at = end;
      }
      if (this.#opcode !== undefined && this.#left === 0) this.#endFrame();
    }
  }

  #readHead(chunk: Buffer, at: number): number {
    const head = this.#head;
    while (at < chunk.length && this.#headLength < this.#headNeeded) {
      head[this.#headLength++] = chunk[at++]!;
      if (this.#headLength === 2) {
        this.#check(head[0]!, head[1]!);
        const size = head[1]! & 0x7f;
        this.#headNeeded = 2 + (size === 127 ? 8 : size === 126 ? 2 : 0) + maskBytes;
      }
    }
    if (this.#headLength === this.#headNeeded) this.#begin();
    return at;
  }

  /** The first two octets, which say what is wrong with most frames. */
  #check(first: number, second: number): void {
    const opcode = first & 0x0f;
    const isLast = (first & 0x80) !== 0;
    const wrongs: string[] = [];
    for (const [bit, name] of [
      [0x40, "RSV1 set"],
      [0x20, "RSV2 set"],
      [0x10, "RSV3 set"],
    ] as const) {
      if ((first & bit) !== 0) wrongs.push(name);
    }
    if (opcode === Opcode.close || opcode === Opcode.ping || opcode === Opcode.pong) {
      if ((second & 0x7f) > controlBytesMax) wrongs.push("len > 125 for control");
      if (!isLast) wrongs.push("FIN not set on control");
    } else if (opcode === Opcode.text || opcode === Opcode.binary) {
      if (this.#isInMessage) wrongs.push("data before FIN");
    } else if (opcode === Opcode.continuation) {
      if (!this.#isInMessage) wrongs.push("continuation after FIN");
    } else wrongs.push(`bad opcode ${opcode}`);
    if ((second & 0x80) === 0) wrongs.push("bad MASK");
    if (wrongs.length > 0) throw broken(wrongs.join(", "));
  }

  #begin(): void {
    const head = this.#head;
    const size = head[1]! & 0x7f;
    this.#opcode = (head[0]! & 0x0f) as Opcode;
    this.#isLast = (head[0]! & 0x80) !== 0;
    this.#left = size < 126 ? size : size === 126 ? head.readUInt16BE(2) : lengthOf(head.readBigUInt64BE(2));
    this.#maskAt = 0;
    if (this.#opcode >= Opcode.close) {
      this.#control = Buffer.alloc(0);
      return;
    }
    this.#isInMessage = true;
    this.#messageBytes += this.#left;
    if (this.#messageBytes > this.#messageBytesMax) {
      throw new FrameError(CloseCode.tooBig, `a message is larger than ${this.#messageBytesMax} bytes`);
    }
  }

  #payload(bytes: Buffer): void {
    const mask = this.#headNeeded - maskBytes;
    for (let at = 0; at < bytes.length; at++) {
      bytes[at]! ^= this.#head[mask + (this.#maskAt++ & 3)]!;
    }
    this.#maskAt &= 3;
    this.#left -= bytes.length;
    if (this.#opcode! >= Opcode.close) this.#control = Buffer.concat([this.#control, bytes]);
    else this.#sink.onPayload(bytes);
  }

  #endFrame(): void {
    const opcode = this.#opcode!;
    this.#opcode = undefined;
    this.#headLength = 0;
    this.#headNeeded = 2;
    if (opcode === Opcode.ping) this.#sink.onPing(this.#control);
    else if (opcode === Opcode.close) {
      this.#isOver = true;
      this.#sink.onClose(closeCodeOf(this.#control));
    } else if (opcode !== Opcode.pong && this.#isLast) {
      this.#isInMessage = false;
      this.#messageBytes = 0;
      this.#sink.onMessageEnd();
    }
  }
}

function lengthOf(length: bigint): number {
  if (length > BigInt(Number.MAX_SAFE_INTEGER))
    throw new FrameError(CloseCode.tooBig, "a frame is too large");
  return Number(length);
}

/** What may stand in a close frame: the registered codes that are sent, and those for applications. */
function isCloseCode(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

function closeCodeOf(payload: Buffer): number | undefined {
  if (payload.length === 0) return undefined;
  if (payload.length === 1) throw broken("invalid close payload");
  const code = payload.readUInt16BE(0);
  if (!isCloseCode(code)) throw broken(`bad close code ${code}`);
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(payload.subarray(2));
  } catch {
    throw broken("invalid utf8 payload in close frame");
  }
  return code;
}
