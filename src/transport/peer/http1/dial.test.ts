import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { parseEtcdUrl } from "../../../lib/etcd-url.ts";
import { systemClock } from "../../../runtime/system-clock.ts";
import { dial } from "./dial.ts";

describe("a call of another member", () => {
  it("comes from the address that was chosen", async () => {
    // Elsewhere the loopback interface has one address.
    const localAddress = process.platform === "linux" ? "127.0.0.9" : "127.0.0.1";
    const from = Promise.withResolvers<string | undefined>();
    const server = createServer((socket) => {
      from.resolve(socket.remoteAddress);
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = parseEtcdUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const socket = await dial(url, { clock: systemClock, timeoutMs: 5_000, localAddress });
    assert.equal(await from.promise, localAddress);
    socket.destroy();
    server.close();
  });
});
