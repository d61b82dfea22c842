import type { ServerResponse } from "node:http";
import type { ResponseSink } from "./respond.ts";

/** A Response on its way out over HTTP/1.1. */
export class Http1Response implements ResponseSink {
  private readonly outgoing: ServerResponse;
  private readonly highWaterBytes: number;
  private writable: (() => void) | undefined = undefined;

  constructor(outgoing: ServerResponse, highWaterBytes: number) {
    this.outgoing = outgoing;
    this.highWaterBytes = highWaterBytes;
    const wake = (): void => {
      const { writable } = this;
      this.writable = undefined;
      writable?.();
    };
    outgoing.on("drain", wake);
    outgoing.on("close", wake);
    outgoing.on("error", () => {});
  }

  get isGone(): boolean {
    return this.outgoing.destroyed || this.outgoing.socket?.destroyed === true;
  }

  begin(status: number, headers: Headers, hasBody: boolean): void {
    const cookies = headers.getSetCookie();
    for (const [name, value] of headers) {
      if (name !== "set-cookie") this.outgoing.setHeader(name, value);
    }
    if (cookies.length > 0) this.outgoing.setHeader("set-cookie", cookies);
    this.outgoing.statusCode = status;
    if (!hasBody) this.outgoing.end();
  }

  flush(): void {
    if (!this.outgoing.headersSent && !this.isGone) this.outgoing.flushHeaders();
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    const isRoomy = this.atOnce(() => this.outgoing.write(bytes));
    if (isRoomy || this.isGone || this.outgoing.writableLength < this.highWaterBytes) return undefined;
    return new Promise((resolve) => {
      this.writable = resolve;
    });
  }

  end(last?: Uint8Array): void {
    this.atOnce(() => {
      // What has no length is a stream, as in etcd, even if all of it is there.
      if (last !== undefined) this.outgoing.write(last);
      this.outgoing.end();
    });
  }

  /** Head, sizes and pieces in one packet: Bun writes each by itself. */
  private atOnce<Result>(write: () => Result): Result {
    const { socket } = this.outgoing;
    socket?.cork();
    const result = write();
    socket?.uncork();
    return result;
  }

  abort(): void {
    this.outgoing.destroy();
  }
}
