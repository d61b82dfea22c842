import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { it } from "node:test";
import { probeListen } from "./probe.ts";

it("refuses a port that is taken, in Go's words, and leaves a free one free", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  await assert.rejects(probeListen(["http://127.0.0.1:0", url], false), {
    message: `listen tcp 127.0.0.1:${port}: bind: address already in use`,
    code: "EADDRINUSE",
  });
  await new Promise((resolve) => taken.close(resolve));
  // Both schemes of one port are one socket.
  await probeListen([url, `https://127.0.0.1:${port}`], false);
  await probeListen([url], false);
});
