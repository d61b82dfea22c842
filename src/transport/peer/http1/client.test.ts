import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { parseEtcdUrl } from "../../../lib/etcd-url.ts";
import { systemClock } from "../../../runtime/system-clock.ts";
import { HttpClient } from "./client.ts";
import { defaultHttp1Limits } from "./limits.ts";

/** Answers the first request of each connection, and hangs up when it has read a second one. */
async function withServer(run: (client: HttpClient, port: number, seen: () => number) => Promise<void>) {
  let seen = 0;
  const server = createServer((socket) => {
    let ofThis = 0;
    socket.on("error", () => {});
    socket.on("data", () => {
      seen++;
      if (++ofThis === 1) socket.write("HTTP/1.1 204 No Content\r\n\r\n");
      else socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = new HttpClient({ clock: systemClock, limits: defaultHttp1Limits, dialTimeoutMs: 5_000 });
  try {
    await run(client, (server.address() as AddressInfo).port, () => seen);
  } finally {
    client.close();
    server.close();
  }
}

describe("a request on a kept connection that breaks", () => {
  const options = { timeoutMs: 10_000, maxBodyBytes: 1000 };
  const post = { method: "POST", path: "/raft", headers: {}, body: new Uint8Array([1]) };

  it("is sent again on a new one", () =>
    withServer(async (client, port, seen) => {
      const url = parseEtcdUrl(`http://127.0.0.1:${port}`);
      await client.request(url, post, options);
      assert.equal((await client.request(url, post, options)).status, 204);
      assert.equal(seen(), 3);
    }));

  it("is lost, and never sent again, if it must not arrive twice", () =>
    withServer(async (client, port, seen) => {
      const url = parseEtcdUrl(`http://127.0.0.1:${port}`);
      await client.request(url, { ...post, isOnce: true }, options);
      await assert.rejects(client.request(url, { ...post, isOnce: true }, options));
      assert.equal(seen(), 2);
    }));
});
