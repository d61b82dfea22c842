/** Peers that do not keep to the protocol, or do so in bad faith. The member must live on, and not grow. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect, createServer, type Server, type Socket } from "node:net";
import { describe, it } from "node:test";
import { encodeMessage } from "../../codec/raft-message.ts";
import { Prng } from "../../lib/prng.ts";
import { defaultHttp1Limits } from "./http1/limits.ts";
import {
  heartbeat,
  snapshotMessage,
  startMembers,
  TestMember,
  until,
  untilConnected,
} from "./testing/test-member.ts";

const identity =
  "Host: a\r\nX-Server-From: 2\r\nX-Server-Version: 3.7.3\r\nX-Min-Cluster-Version: 3.0.0\r\nX-Etcd-Cluster-ID: c1\r\n";

interface RawAnswer {
  readonly text: string;
  readonly socket: Socket;
  isClosed: boolean;
}

/** Sends octets; collects what comes back. */
function raw(member: TestMember, text: string | Uint8Array): RawAnswer & { text: string } {
  const socket = connect(member.port, "127.0.0.1");
  const answer = { text: "", socket, isClosed: false };
  socket.on("data", (bytes: Buffer) => {
    answer.text += bytes.toString("latin1");
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    answer.isClosed = true;
  });
  socket.write(text);
  return answer;
}

/** A server that plays a member: gives each connection to `serve` when a request's head is there. */
async function fakePeer(
  serve: (socket: Socket, head: string) => void,
): Promise<{ url: string; server: Server }> {
  const server = createServer((socket) => {
    let head = "";
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      if (head.includes("\r\n\r\n")) return;
      head += bytes.toString("latin1");
      if (head.includes("\r\n\r\n")) serve(socket, head);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, server };
}

const streamHead = "HTTP/1.1 200 OK\r\nX-Server-Version: 3.7.3\r\nTransfer-Encoding: chunked\r\n\r\n";
const chunk = (bytes: Uint8Array) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);

describe("hostile requests", () => {
  it("that are no HTTP end their connection only", async () => {
    const members = await startMembers(2);
    const [a, b] = members as [TestMember, TestMember];
    await untilConnected(members);
    const answers = [
      raw(a, "GET /raft HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
      raw(a, `POST /raft HTTP/1.1\r\n${identity}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`),
      raw(a, `GET /raft/probing HTTP/1.1\r\n${"A: b\r\n".repeat(200)}\r\n`),
      raw(a, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      raw(a, new Uint8Array(9_000).fill(0xee)),
    ];
    await until("all are closed", () => answers.every(({ isClosed }) => isClosed));
    for (const { text } of answers.slice(0, 3)) assert.match(text, /^HTTP\/1\.1 400 |^$/);
    a.transport.send([heartbeat(a, b, 5)]);
    await until("members still talk", () => b.received.length === 1);
    await Promise.all(members.map((member) => member.stop()));
  });

  it("that never end are given up", async () => {
    const limits = { http: { ...defaultHttp1Limits, headTimeoutMs: 100, bodyTimeoutMs: 100 } };
    const a = await TestMember.start({ id: 1, limits });
    const answers = [
      raw(a, ""),
      raw(a, "GET /raft/probing HTTP/1.1\r\nHost:"),
      raw(a, `POST /raft HTTP/1.1\r\n${identity}Content-Length: 100\r\n\r\nabc`),
      raw(a, `POST /raft/snapshot HTTP/1.1\r\n${identity}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`),
    ];
    await until("all are closed", () => answers.every(({ isClosed }) => isClosed));
    await until("nothing is left", () => a.server.openConnections === 0);
    assert.equal(a.received.length, 0);
    await a.stop();
  });

  it("that break off in a snapshot leave nothing behind", async () => {
    const a = await TestMember.start({ id: 1 });
    const b = await TestMember.start({ id: 2 });
    const message = encodeMessage(snapshotMessage(b, a, 7));
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(message.length));
    const answer = raw(
      a,
      Buffer.concat([
        Buffer.from(`POST /raft/snapshot HTTP/1.1\r\n${identity}Transfer-Encoding: chunked\r\n\r\n`),
        chunk(Buffer.concat([length, message])),
        chunk(new Uint8Array(2_000_000)),
      ]),
    );
    await until("it is being received", () => a.logged(/receiving database snapshot/) !== undefined);
    answer.socket.destroy();
    await until("it is given up", () => a.aborted === 1);
    assert.deepEqual([a.received, a.snapshots.size], [[], 0]);
    await Promise.all([a.stop(), b.stop()]);
  });

  it("with a database that does not match its digest are refused", async () => {
    const a = await TestMember.start({ id: 1 });
    const b = await TestMember.start({ id: 2 });
    const message = encodeMessage(snapshotMessage(b, a, 7));
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(message.length));
    const answer = raw(
      a,
      Buffer.concat([
        Buffer.from(
          `POST /raft/snapshot HTTP/1.1\r\n${identity}Trailer: X-Etclite-Snapshot-Sha256\r\nTransfer-Encoding: chunked\r\n\r\n`,
        ),
        chunk(Buffer.concat([length, message, new Uint8Array(1_000)])),
        Buffer.from(`0\r\nX-Etclite-Snapshot-Sha256: ${"0".repeat(64)}\r\n\r\n`),
      ]),
    );
    await until("it is answered", () => answer.text !== "");
    assert.match(answer.text, /^HTTP\/1\.1 500 [\s\S]*snapshot digest mismatch/);
    assert.deepEqual([a.received, a.snapshots.size, a.aborted], [[], 0, 1]);
    await Promise.all([a.stop(), b.stop()]);
  });

  it("with more on a stream's connection lose the stream", async () => {
    const a = await TestMember.start({ id: 1 });
    const b = await TestMember.start({ id: 2 });
    a.transport.addPeer(b.id, [b.url]);
    const answer = raw(a, `GET /raft/stream/message/2 HTTP/1.1\r\n${identity}X-Raft-To: 1\r\n\r\n`);
    await until("the stream stands", () => answer.text.includes("200 OK"));
    answer.socket.write("GET / HTTP/1.1\r\n\r\n");
    await until("it is closed", () => answer.isClosed);
    await Promise.all([a.stop(), b.stop()]);
  });

  it("from many strangers are not remembered without end", async () => {
    const a = await TestMember.start({ id: 1, limits: { remotes: 5 } });
    const b = await TestMember.start({ id: 2 });
    for (let id = 100; id < 150; id++) {
      const from = identity.replace("From: 2", `From: ${id.toString(16)}`);
      const body = Buffer.from(encodeMessage(heartbeat(b, a)));
      const head = `POST /raft HTTP/1.1\r\n${from}X-PeerURLs: http://127.0.0.1:1\r\nContent-Length: ${body.length}\r\n\r\n`;
      raw(a, Buffer.concat([Buffer.from(head), body]));
    }
    await until("all are heard", () => a.received.length === 50);
    assert.equal(a.log.filter(({ message }) => message === "added new remote peer").length, 5);
    assert.equal((a.metrics.expose().match(/^etcd_network_peer_received_bytes_total/gm) ?? []).length, 6);
    await Promise.all([a.stop(), b.stop()]);
  });
});

describe("hostile streams", () => {
  /** A member whose streams answer with these octets. */
  async function reading(octets: Uint8Array): Promise<TestMember> {
    const a = await TestMember.start({ id: 1 });
    const { url, server } = await fakePeer((socket) => {
      socket.write(streamHead);
      socket.write(octets);
    });
    a.transport.addPeer(2n as never, [url]);
    await until(
      "the stream is given up",
      () => a.logged(/lost TCP streaming connection with remote peer/) !== undefined,
    );
    server.close();
    return a;
  }

  const bad: readonly (readonly [string, Uint8Array, RegExp])[] = [
    [
      "announce a message of 2^63 bytes",
      chunk(Buffer.from("7fffffffffffffff", "hex")),
      /limit exceeded|failed to parse/,
    ],
    ["announce a chunk of 2^60 bytes", Buffer.from("fffffffffffffff\r\n"), /malformed chunk size/],
    ["send no frames", chunk(new Uint8Array(100).fill(0x99)), /failed to parse type 153|limit exceeded/],
    ["send no chunks", Buffer.from("hello\r\n\r\n"), /malformed chunk size/],
    ["say nothing", new Uint8Array(0), /i\/o timeout/],
  ];
  for (const [name, octets, why] of bad) {
    it(`that ${name} are given up`, async () => {
      const a = await reading(octets);
      assert.deepEqual(a.received, []);
      assert.ok(a.logged(why), JSON.stringify(a.log.at(-1)));
      await a.stop();
    });
  }

  it("that announce much and send little cost little", async () => {
    const a = await TestMember.start({ id: 1, limits: { streamTimeoutMs: 60_000 } });
    const sockets: Socket[] = [];
    const { url, server } = await fakePeer((socket) => {
      socket.write(streamHead);
      // A frame of 60 MiB, and an octet of it at a time.
      socket.write(chunk(Buffer.concat([Buffer.from([2]), uint64(60 * 1024 * 1024)])));
      sockets.push(socket);
    });
    a.transport.addPeer(2n as never, [url]);
    await until("both streams stand", () => sockets.length === 2);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 500; i++) {
      for (const socket of sockets) socket.write(chunk(new Uint8Array([2])));
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(process.memoryUsage().rss - before < 50 * 1024 * 1024);
    await a.stop();
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it("with random octets never bring the member down", async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = new Prng(seed);
      const octets = Uint8Array.from({ length: 1 + random.below(200) }, () =>
        random.below(random.chance(0.5) ? 3 : 256),
      );
      const a = await TestMember.start({ id: 1, limits: { streamTimeoutMs: 100 } });
      const { url, server } = await fakePeer((socket) => {
        if (random.chance(0.2)) socket.end(octets);
        else socket.end(Buffer.concat([Buffer.from(streamHead), chunk(octets), Buffer.from("0\r\n\r\n")]));
      });
      a.transport.addPeer(2n as never, [url]);
      const failed = /lost TCP streaming|peer deactivated again|unsupported/;
      await until(
        `seed ${seed} is over`,
        () => a.log.filter((line) => failed.test(line.message)).length >= 2,
      );
      await a.stop();
      server.close();
    }
  });

  it("that come from something older are let be", async () => {
    const a = await TestMember.start({ id: 1 });
    let asked = 0;
    const { url, server } = await fakePeer((socket) => {
      asked++;
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    });
    a.transport.addPeer(2n as never, [url]);
    await until("it was asked again", () => asked > 4);
    assert.equal(a.transport.activePeers, 0);
    assert.equal(a.logged(/established TCP/), undefined);
    await a.stop();
    server.close();
  });
});

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
