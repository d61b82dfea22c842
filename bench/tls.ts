/** What TLS costs: the same requests plain and over TLS, to the same port of the same server. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestAuthority } from "../src/transport/testing/make-certificates.ts";
import { freePort } from "../test/support/ports.ts";
import { type Context, inTurn, withServer } from "./context.ts";
import { requestsPerSecond } from "./throughput.ts";

const load = { connections: 10, streams: 100 };
const requests = { puts: 60_000, ranges: 100_000 };
/** Each with a handshake and one request. */
const shortConnections = 400;

export async function tls(context: Context): Promise<void> {
  const authority = await TestAuthority.make();
  const { cert, key } = await authority.issue({ dns: ["localhost"], ips: ["127.0.0.1"] });
  const certFile = join(context.folder, "bench.crt");
  const keyFile = join(context.folder, "bench.key");
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  for (let round = 0; round < context.rounds; round++) {
    for (const subject of inTurn(context, round)) {
      const port = await freePort();
      const secure = `https://127.0.0.1:${port}`;
      const flags = [
        `--cert-file=${certFile}`,
        `--key-file=${keyFile}`,
        `--listen-client-urls=http://127.0.0.1:${port},${secure}`,
      ];
      const add = (title: string, unit: string, value: number, digits = 0) =>
        context.results.add({ title, unit, digits }, subject.name, value);
      await withServer(
        context,
        subject,
        async (server, folder) => {
          for (const what of ["puts", "ranges"] as const) {
            const count = Math.max(1_000, Math.round(requests[what] * context.scale));
            const run = requestsPerSecond[what];
            await run(server, folder, 1_000, load);
            const plain = await run(server, folder, count, load);
            const overTls = await run(server, folder, count, load, { url: secure });
            add(`${what} over TLS, 10 x 100`, "1/s", overTls);
            add(`${what}, TLS to plain`, "of the rate", overTls / plain, 2);
          }
          const short = { connections: shortConnections, streams: 1 };
          const rate = await requestsPerSecond.ranges(server, folder, shortConnections, short, {
            url: secure,
          });
          add("connections with a handshake and a range", "1/s", rate);
        },
        flags,
        port,
      );
    }
  }
}
