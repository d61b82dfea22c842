import assert from "node:assert/strict";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, describe, it } from "node:test";
import { freePort } from "../../../test/support/ports.ts";
import { silentLogger } from "../../lib/testing/silent-logger.ts";
import { type Endpoint, Remotes } from "./remotes.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const cleanUp: (() => void)[] = [];
after(() => {
  for (const end of cleanUp) end();
});

const endpoint = (port: number, over: Partial<Endpoint> = {}): Endpoint => ({
  host: "127.0.0.1",
  port,
  priority: 0,
  weight: 0,
  ...over,
});

/** Says its name, then gives back what it gets until the other side ends. */
async function namedEcho(name: string): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.write(name);
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => server.close());
  return { server, port: (server.address() as { port: number }).port };
}

async function proxyTo(endpoints: readonly Endpoint[], retryDelayMs = 60_000): Promise<TcpProxy> {
  const remotes = new Remotes(endpoints, () => 0);
  const proxy = await TcpProxy.listen({
    host: "127.0.0.1",
    port: 0,
    remotes,
    retryDelayMs,
    logger: silentLogger,
  });
  cleanUp.push(() => proxy.close());
  return proxy;
}

/** Everything that comes back for `text`; the connection is half closed after it, and after something came. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket: Socket = connect({ port, host: "127.0.0.1" });
    socket.on("data", (bytes) => {
      if (received === "") socket.end();
      received += bytes;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(received));
    if (text !== "") socket.write(text);
  });
}

describe("TcpProxy", () => {
  it("passes bytes on in both directions, and the end of each", async () => {
    const { port } = await namedEcho("a:");
    const proxy = await proxyTo([endpoint(port)]);
    const text = "x".repeat(300_000);
    assert.equal(await exchange(proxy.port, text), `a:${text}`);
  });

  it("takes turns", async () => {
    const [a, b] = [await namedEcho("a"), await namedEcho("b")];
    const proxy = await proxyTo([endpoint(a.port), endpoint(b.port)]);
    const answers: string[] = [];
    for (let i = 0; i < 4; i++) answers.push(await exchange(proxy.port, ""));
    assert.equal(answers.join(""), "abab");
  });

  it("goes on to the next when one cannot be reached, and back when it can be", async () => {
    const [gone, b] = [await freePort(), await namedEcho("b")];
    const proxy = await proxyTo([endpoint(gone), endpoint(b.port)], 20);
    assert.equal(await exchange(proxy.port, ""), "b");
    assert.equal(await exchange(proxy.port, ""), "b");
    const back = createServer((socket) => {
      socket.on("error", () => {});
      socket.end("back");
    });
    await new Promise<void>((resolve) => back.listen(gone, "127.0.0.1", resolve));
    cleanUp.push(() => back.close());
    while ((await exchange(proxy.port, "").catch(() => "")) !== "back");
  });

  it("closes the connection when none can be reached", async () => {
    const proxy = await proxyTo([endpoint(await freePort())]);
    assert.equal(await exchange(proxy.port, "").catch(() => ""), "");
  });

  it("breaks off with the server", async () => {
    const server = createServer((socket) => socket.resetAndDestroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanUp.push(() => server.close());
    const proxy = await proxyTo([endpoint((server.address() as { port: number }).port)]);
    assert.equal(await exchange(proxy.port, "hello").catch(() => ""), "");
  });
});

describe("Remotes", () => {
  const picks = (remotes: Remotes, count: number) =>
    Array.from({ length: count }, () => remotes.pick()?.port);

  it("takes the lowest priority as long as one of it is active", () => {
    const remotes = new Remotes([endpoint(1, { priority: 2 }), endpoint(2, { priority: 1 })], () => 0);
    assert.deepEqual(picks(remotes, 3), [2, 2, 2]);
    remotes.all[1]!.isActive = false;
    assert.deepEqual(picks(remotes, 2), [1, 1]);
    remotes.all[0]!.isActive = false;
    assert.equal(remotes.pick(), undefined);
  });

  it("takes by weight, and one without hardly ever", () => {
    let next = 0;
    const numbers = [1, 0, 1, 9, 1, 10, 1, 29, 0];
    const remotes = new Remotes(
      [endpoint(1, { weight: 10 }), endpoint(2, { weight: 20 }), endpoint(3)],
      () => numbers[next++]!,
    );
    assert.deepEqual(picks(remotes, 5), [1, 1, 2, 2, 3]);
  });
});
