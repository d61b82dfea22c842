import type { Socket } from "node:net";
import type { CoarseTimers } from "../timers/coarse-timers.ts";

/** What a connection speaks, from its first octets. */
export type Protocol = "tls" | "http2" | "http1";

const tlsHandshakeRecord = 0x16;
/** No HTTP/1.1 method begins like HTTP/2's preface, "PRI * HTTP/2.0". */
const http2Start = "PRI";
/** A longer request line is no HTTP/1.1 that we serve. */
const maxRequestLineBytes = 8 * 1024;

/** Undefined: not enough was read. "unknown": none of them; etcd's multiplexer closes such a connection without a word. */
function recognize(first: Buffer): Protocol | "unknown" | undefined {
  if (first[0] === tlsHandshakeRecord) return "tls";
  const start = first.toString("latin1", 0, http2Start.length);
  if (start === http2Start) return "http2";
  if (http2Start.startsWith(start)) return undefined;
  const end = first.indexOf(0x0a);
  if (end < 0) return first.length > maxRequestLineBytes ? "unknown" : undefined;
  return /^[A-Z]+ \S+ HTTP\/1\.[01]\r?$/.test(first.toString("latin1", 0, end)) ? "http1" : "unknown";
}

/**
 * Waits for the first octets of a connection and tells what it is. `found` gets all that was read; the socket is
 * then paused. A connection that says nothing within `timeoutMs` is closed.
 */
export function sniff(
  socket: Socket,
  options: { readonly timers: CoarseTimers; readonly timeoutMs: number },
  found: (protocol: Protocol | "unknown", first: Buffer) => void,
): void {
  let seen: Buffer | undefined;
  const timer = options.timers.arm(options.timeoutMs, { onTimer: () => socket.destroy() });
  const onData = (chunk: Buffer): void => {
    seen = seen === undefined ? chunk : Buffer.concat([seen, chunk]);
    const protocol = recognize(seen);
    if (protocol === undefined) return;
    stop();
    socket.pause();
    found(protocol, seen);
  };
  const stop = (): void => {
    timer.cancel();
    socket.removeListener("data", onData);
    socket.removeListener("close", stop);
    socket.removeListener("error", ignore);
  };
  socket.on("data", onData);
  socket.on("close", stop);
  socket.on("error", ignore);
}

/** A socket that fails before it said anything is nobody's loss; "close" follows. */
function ignore(): void {}
