import assert from "node:assert/strict";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { describe, it } from "node:test";
import { grpcMessage, grpcMessages } from "../testing/raw-client.ts";
import { TestServer, testLimits } from "../testing/test-server.ts";
import { waitFor } from "../testing/wait-for.ts";

/** Opens a call with an implementation of HTTP/2 that is not ours. */
function open(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  return session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    "grpc-timeout": "10S",
  });
}

interface Outcome {
  readonly messages: Buffer[];
  readonly status: string;
}

function outcome(stream: ClientHttp2Stream): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let status = "";
    const onFields = (fields: Record<string, unknown>) => {
      status = String(fields["grpc-status"] ?? status);
    };
    stream.on("response", onFields);
    stream.on("trailers", onFields);
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    stream.on("error", reject);
    stream.on("end", () => {
      // Some runtimes emit "trailers" after "end".
      setImmediate(() => resolve({ messages: grpcMessages(Buffer.concat(pieces)), status }));
    });
  });
}

async function withSession(run: (session: ClientHttp2Session) => Promise<void>): Promise<void> {
  const server = await TestServer.start({ limits: { ...testLimits, maxReceiveBytes: 4_000_000 } });
  const session = connect(`http://127.0.0.1:${server.port}`);
  try {
    await run(session);
  } finally {
    session.destroy();
    await server.stop();
  }
  assert.deepEqual(server.faults, []);
  assert.deepEqual(server.errors, []);
}

describe("node:http2 as a client", () => {
  it("makes unary calls, many at a time", () =>
    withSession(async (session) => {
      for (let round = 0; round < 5; round++) {
        const calls = Array.from({ length: 50 }, (_, index) => {
          const stream = open(session, "/test.Echo/Unary");
          stream.end(grpcMessage(Buffer.from(`call ${index}`)));
          return outcome(stream);
        });
        const outcomes = await Promise.all(calls);
        for (const [index, { messages, status }] of outcomes.entries()) {
          assert.deepEqual(messages.map(String), [`call ${index}`]);
          assert.equal(status, "0");
        }
      }
    }));

  it("sends and gets large messages", () =>
    withSession(async (session) => {
      const message = Buffer.alloc(3_000_000, "0123456789");
      const stream = open(session, "/test.Echo/Unary");
      stream.end(grpcMessage(message));
      const { messages, status } = await outcome(stream);
      assert.equal(status, "0");
      assert.equal(messages.length, 1);
      assert.ok(messages[0]!.equals(message));
    }));

  it("streams both ways", () =>
    withSession(async (session) => {
      const stream = open(session, "/test.Echo/Stream");
      const done = outcome(stream);
      let received = 0;
      stream.on("data", () => received++);
      for (let index = 0; index < 30; index++) {
        stream.write(grpcMessage(Buffer.from(`${index}`)));
        await waitFor("the echo", () => received > index);
      }
      stream.end();
      const { messages, status } = await done;
      assert.deepEqual(
        messages.map(String),
        Array.from({ length: 30 }, (_, index) => `${index}`),
      );
      assert.equal(status, "0");
    }));

  it("gets the status of a call that fails", () =>
    withSession(async (session) => {
      const stream = open(session, "/test.Echo/Fail");
      stream.end(grpcMessage(Buffer.from("no")));
      assert.equal((await outcome(stream)).status, "11");
    }));

  it("makes ordinary requests", () =>
    withSession(async (session) => {
      const stream = session.request({ ":path": "/" });
      const text = await new Promise<string>((resolve, reject) => {
        let seen = "";
        stream.on("data", (piece) => {
          seen += piece;
        });
        stream.on("error", reject);
        stream.on("end", () => resolve(seen));
      });
      assert.equal(text, "hello\n");
    }));
});
