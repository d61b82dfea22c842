/**
 * Ports for servers under test. They come from below the range that operating systems give to outgoing connections:
 * a client that redials a dead server on a port from that range can connect to itself and then wait for ever.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** `ETCLITE_TEST_PORTS=38000-38199` keeps a run inside a range of its own. */
const [first, last] = (process.env["ETCLITE_TEST_PORTS"] ?? "21000-29999").split("-").map(Number) as [
  number,
  number,
];
const size = last - first + 1;
let next = process.pid % size;

/** A port of 127.0.0.1 that nobody listens on now, and that no process that asked here will be given while this one lives. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < size; attempt++) {
    const port = first + (next++ % size);
    if ((await isFree(port)) && (await claim(port))) return port;
  }
  throw new Error(`no free port in ${first}-${last}`);
}

/**
 * Test files run side by side, each in a process, and between the choice of a port and its use there is the start of a
 * server. The UDP port of the same number, which nobody else wants, is the mark that it is taken.
 */
function claim(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const mark = createSocket("udp4");
    mark.once("error", () => resolve(false));
    mark.bind({ port, address: "127.0.0.1", exclusive: true }, () => {
      mark.unref();
      resolve(true);
    });
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
