/**
 * Makes a message of every line of an answer. A line is one frame, and a long one several, so that no more of it is kept
 * than `frameBytesMax`.
 */
import { encodeFrame, Opcode } from "./frames.ts";

const frameBytesMax = 64 * 1024;
const newline = 0x0a;

export class LineFrames {
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Frames of this line were sent. */
  #isBegun = false;

  /** The frames that are complete with `chunk`. */
  push(chunk: Uint8Array): Buffer[] {
    const frames: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#hold(chunk.subarray(start, end));
      frames.push(...this.end());
      start = end + 1;
    }
    this.#hold(chunk.subarray(start));
    if (this.#heldBytes >= frameBytesMax) frames.push(this.#take(false));
    return frames;
  }

  /** The line ends here. An empty one is no message. */
  end(): Buffer[] {
    if (this.#heldBytes === 0 && !this.#isBegun) return [];
    const last = this.#take(true);
    this.#isBegun = false;
    return [last];
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  #take(isLast: boolean): Buffer {
    const frame = encodeFrame(this.#isBegun ? Opcode.continuation : Opcode.text, this.#held, isLast);
    this.#held = [];
    this.#heldBytes = 0;
    this.#isBegun = true;
    return frame;
  }
}
