import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { PatientTimer } from "./patient-timer.ts";

/** Both ends of a connection. */
let ends: [Socket, Socket];
const server = createServer();

before(async () => {
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  ends = [connect(port, "127.0.0.1"), await accepted];
});

after(async () => {
  for (const end of ends) end.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** Holds this process for that long. */
function pause(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

describe("a patient timer", () => {
  it("runs after what came while the whole process stood still", async () => {
    const [near, far] = ends;
    let received = 0;
    far.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    for (let sent = 1; sent <= 10; sent++) {
      const seen = await new Promise<number>((resolve) => {
        near.write("x", () => {
          new PatientTimer(1, () => resolve(received));
          pause(30);
        });
      });
      assert.equal(seen, sent);
    }
  });

  it("does not run before its time, and once", async () => {
    const startMs = performance.now();
    let runs = 0;
    await new Promise<void>((resolve) => {
      new PatientTimer(20, () => {
        runs++;
        resolve();
      });
    });
    assert.ok(performance.now() - startMs >= 19, "runtimes round a millisecond");
    await new Promise<void>((resolve) => new PatientTimer(20, resolve));
    assert.equal(runs, 1);
  });

  it("can be cancelled in each of its turns", async () => {
    let runs = 0;
    for (let turns = 0; turns < 3; turns++) {
      const timer = new PatientTimer(0, () => runs++);
      if (turns > 0) await new Promise((resolve) => setTimeout(resolve, 2));
      if (turns > 1) await new Promise((resolve) => setImmediate(resolve));
      timer.cancel();
    }
    const last = new PatientTimer(0, () => {});
    await new Promise<void>((resolve) => new PatientTimer(5, resolve));
    last.cancel();
    assert.ok(runs <= 2, "the one that was cancelled at once did not run");
  });
});
