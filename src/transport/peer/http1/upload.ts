/** A request with a long body, sent as fast as the other side takes it and no faster. */
import { Buffer } from "node:buffer";
import type { Clock, Timer } from "../../../lib/clock.ts";
import type { ClientConnection } from "./client-connection.ts";
import { aborted } from "./dial.ts";
import type { HttpHeaders } from "./head.ts";
import type { HttpResponse } from "./messages.ts";
import { joined } from "./plain.ts";

export interface UploadBody {
  /** The body's pieces, of any size. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Headers after the body, asked for when all of it is sent. Their names must be in a `Trailer` header. */
  readonly trailers?: () => Readonly<Record<string, string>>;
  /** The other side may take nothing for so long. */
  readonly stallTimeoutMs: number;
  /** From the last byte to the answer. */
  readonly responseTimeoutMs: number;
  readonly maxResponseBytes: number;
  readonly signal: AbortSignal;
}

/** Sends; an answer that comes early ends the sending. */
export async function upload(
  connection: ClientConnection,
  head: Uint8Array,
  body: UploadBody,
  clock: Clock,
): Promise<HttpResponse> {
  const { signal } = body;
  let answered = false;
  const answer = receive(connection, head, body.maxResponseBytes);
  const settled = answer.then(
    () => {
      answered = true;
    },
    () => {
      answered = true;
    },
  );
  const onAbort = (): void => connection.destroy(aborted());
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  let timer: Timer | undefined;
  const expire = (): void => connection.destroy(new Error("i/o timeout"));
  try {
    for await (const chunk of body.chunks) {
      if (answered) break;
      if (chunk.length === 0) continue;
      timer = clock.after(body.stallTimeoutMs, expire);
      await Promise.race([sendChunk(connection, chunk), settled]);
      timer.cancel();
    }
    if (!answered) {
      connection.write(lastChunk(body.trailers?.() ?? {}));
      timer = clock.after(body.responseTimeoutMs, expire);
    }
    return await answer;
  } catch (error) {
    // A source that fails must not look like one that ended.
    connection.destroy(error instanceof Error ? error : new Error(String(error)));
    await settled;
    throw error;
  } finally {
    timer?.cancel();
    signal.removeEventListener("abort", onAbort);
  }
}

function receive(connection: ClientConnection, head: Uint8Array, maxBytes: number): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    let status = 0;
    let headers: HttpHeaders = new Map();
    const parts: Uint8Array[] = [];
    let bytes = 0;
    connection.begin(head, {
      head: (received) => {
        ({ status, headers } = received);
      },
      body: (part) => {
        bytes += part.length;
        if (bytes > maxBytes) connection.destroy(new Error("response body too large"));
        else parts.push(part);
      },
      end: () => resolve({ status, headers, body: joined(parts) }),
      fail: reject,
    });
  });
}

/** Resolves when the next chunk is welcome. */
function sendChunk(connection: ClientConnection, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const framed = Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, crlf]);
    if (connection.write(framed, resolve)) resolve();
  });
}

const crlf = Buffer.from("\r\n");

function lastChunk(trailers: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(trailers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`0\r\n${lines.join("")}\r\n`, "latin1");
}
