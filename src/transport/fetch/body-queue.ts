/** The least that is allocated at a time. */
const leastCapacity = 4096;

/**
 * A request body between the connection and its reader. Pieces are copied together, so that a body that comes an
 * octet at a time costs no more than one that comes at once.
 */
export class BodyQueue {
  /** For the Request. */
  readonly stream: ReadableStream<Uint8Array>;
  private bytes = new Uint8Array(0);
  private length = 0;
  private isEnded = false;
  private isSettled = false;
  private wake: (() => void) | undefined = undefined;
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined = undefined;

  private readonly onRemoved: (bytes: number) => void;

  /** `onRemoved` is told how many bytes are no longer kept here: read, or dropped because nobody will read them. */
  constructor(onRemoved: (bytes: number) => void) {
    this.onRemoved = onRemoved;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.controller = controller;
        },
        pull: async (controller) => {
          if (this.length === 0 && !this.isEnded && !this.isSettled) {
            await new Promise<void>((resolve) => {
              this.wake = resolve;
            });
          }
          if (this.isSettled) return;
          if (this.length > 0) {
            const taken = this.bytes.subarray(0, this.length);
            this.bytes = new Uint8Array(0);
            this.length = 0;
            controller.enqueue(taken);
            this.onRemoved(taken.length);
          }
          if (this.isEnded && this.length === 0) {
            this.isSettled = true;
            controller.close();
          }
        },
        cancel: () => this.settle(),
      },
      { highWaterMark: 0 },
    );
  }

  /** False once the reader has everything, or wants no more. */
  get isWanted(): boolean {
    return !this.isSettled;
  }

  push(source: Uint8Array): void {
    if (this.bytes.length - this.length < source.length) {
      const larger = new Uint8Array(Math.max(this.length * 2, this.length + source.length, leastCapacity));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.bytes.set(source, this.length);
    this.length += source.length;
    this.notify();
  }

  end(): void {
    this.isEnded = true;
    this.notify();
  }

  /** The rest will not come. */
  fail(cause: Error): void {
    if (this.isSettled) return;
    this.settle();
    this.controller?.error(cause);
    this.notify();
  }

  private settle(): void {
    const dropped = this.length;
    this.isSettled = true;
    this.length = 0;
    this.bytes = new Uint8Array(0);
    this.onRemoved(dropped);
  }

  private notify(): void {
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }
}
