/** A WebSocket client for tests that sends what it is told to, right or wrong, and shows every frame that comes back. */
import { connect, type Socket } from "node:net";

/** How long a test waits for what it expects. */
const patienceMs = 20_000;

export interface ServerFrame {
  readonly opcode: number;
  readonly isLast: boolean;
  readonly payload: Buffer;
}

/** A frame from a client. */
export function clientFrame(
  opcode: number,
  payload: string | Uint8Array,
  { isLast = true, isMasked = true, reserved = 0 } = {},
): Buffer {
  const bytes = Buffer.from(payload);
  const { length } = bytes;
  const head = Buffer.alloc(length < 126 ? 2 : length < 0x10000 ? 4 : 10);
  head[0] = (isLast ? 0x80 : 0) | reserved | opcode;
  head[1] = (isMasked ? 0x80 : 0) | (head.length === 2 ? length : head.length === 4 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  if (!isMasked) return Buffer.concat([head, bytes]);
  const mask = Buffer.of(1, 2, 3, 4);
  return Buffer.concat([head, mask, bytes.map((byte, at) => byte ^ mask[at & 3]!)]);
}

export class WebSocketClient {
  readonly socket: Socket;
  isClosed = false;
  #received = Buffer.alloc(0);
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    const wake = () => this.#wake?.();
    socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
      wake();
    });
  }

  /** Connects and asks; resolves to the client and to the head of the answer. */
  static async ask(
    port: number,
    path: string,
    { method = "GET", headers = {} }: { method?: string; headers?: Record<string, string> } = {},
  ): Promise<{ client: WebSocketClient; head: string }> {
    const client = new WebSocketClient(connect({ port, host: "127.0.0.1", noDelay: true }));
    const fields = {
      Host: "127.0.0.1",
      Connection: "keep-alive, Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    client.socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    const head = await client.#taken(() => {
      const end = client.#received.indexOf("\r\n\r\n");
      return end < 0 ? undefined : end + 4;
    });
    return { client, head: head?.toString() ?? "" };
  }

  /** As `ask`, and throws unless the answer is yes. */
  static async open(port: number, path: string): Promise<WebSocketClient> {
    const { client, head } = await WebSocketClient.ask(port, path);
    if (!head.startsWith("HTTP/1.1 101 ")) throw new Error(head);
    return client;
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** The next frame, undefined when the server has closed the connection. */
  async next(): Promise<ServerFrame | undefined> {
    const bytes = await this.#taken(() => {
      const all = this.#received;
      if (all.length < 2) return undefined;
      const size = all[1]!;
      const head = size === 127 ? 10 : size === 126 ? 4 : 2;
      if (all.length < head) return undefined;
      const length = head === 10 ? Number(all.readBigUInt64BE(2)) : head === 4 ? all.readUInt16BE(2) : size;
      return all.length < head + length ? undefined : head + length;
    });
    if (bytes === undefined) return undefined;
    const head = bytes[1] === 127 ? 10 : bytes[1] === 126 ? 4 : 2;
    return { opcode: bytes[0]! & 15, isLast: bytes[0]! >= 0x80, payload: bytes.subarray(head) };
  }

  /** What the server's last word was: its code and its reason. Frames before it are passed over. */
  async closeReason(): Promise<string> {
    for (;;) {
      const frame = await this.next();
      if (frame === undefined) return "none";
      if (frame.opcode !== 8) continue;
      const { payload } = frame;
      return payload.length === 0 ? "" : `${payload.readUInt16BE(0)} ${payload.toString("utf8", 2)}`.trim();
    }
  }

  /** Resolves when the server has closed the connection. */
  async closed(): Promise<void> {
    await this.#until(() => this.isClosed);
  }

  async #taken(lengthOf: () => number | undefined): Promise<Buffer | undefined> {
    await this.#until(() => lengthOf() !== undefined || this.isClosed);
    const length = lengthOf();
    if (length === undefined) return undefined;
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  async #until(isTrue: () => boolean): Promise<void> {
    const endMs = performance.now() + patienceMs;
    while (!isTrue()) {
      if (performance.now() > endMs) throw new Error("waited too long for the server");
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
