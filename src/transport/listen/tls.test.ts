import assert from "node:assert/strict";
import { connect as http2Connect } from "node:http2";
import { request as httpsRequest } from "node:https";
import { describe, it } from "node:test";
import { connect as tlsConnect } from "node:tls";
import type { GrpcCall, GrpcHandler, Peer } from "../grpc.ts";
import { testCertificates as certificates } from "../testing/certificates.ts";
import { RawClient } from "../testing/raw-client.ts";
import { TestServer, testRoutes } from "../testing/test-server.ts";
import { waitFor } from "../testing/wait-for.ts";
import { unaryPath } from "../testing/with-client.ts";

/** One unary call with node:http2 over TLS. */
function callOver(port: number, tls: object, message = "over tls"): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = http2Connect(`https://127.0.0.1:${port}`, { servername: "localhost", ...tls });
    session.on("error", reject);
    const stream = session.request({
      ":method": "POST",
      ":path": unaryPath,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const pieces: Buffer[] = [];
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    stream.on("error", reject);
    stream.on("end", () => {
      session.close();
      resolve(Buffer.concat(pieces).subarray(5).toString());
    });
    stream.end(Buffer.concat([Buffer.of(0, 0, 0, 0, message.length), Buffer.from(message)]));
  });
}

function getOver(port: number, tls: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: "127.0.0.1",
      servername: "localhost",
      path: "/",
      agent: false as const,
      ...tls,
    };
    const request = httpsRequest(options, (response) => {
      let text = "";
      response.on("data", (piece) => {
        text += piece;
      });
      response.on("end", () => resolve(text));
    });
    request.on("error", reject);
    request.end();
  });
}

/** The subject of the certificate that a server shows. */
function shownName(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: "127.0.0.1",
      servername: "localhost",
      ca: certificates.authority,
      ALPNProtocols: ["h2"],
    };
    const socket = tlsConnect(options, () => {
      resolve(String(socket.getPeerCertificate().subject.O));
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

const server1 = { cert: certificates.server1.cert, key: certificates.server1.key };
const server2 = { cert: certificates.server2.cert, key: certificates.server2.key };

describe("TLS", () => {
  it("carries HTTP/2 and HTTP/1.1", async () => {
    const server = await TestServer.start();
    const { port } = await server.server.listen("https://127.0.0.1:0", server1);
    assert.equal(await callOver(port!, { ca: certificates.authority }), "over tls");
    assert.equal(await getOver(port!, { ca: certificates.authority }), "hello\n");
    const plain = await RawClient.open(port!);
    await plain.closed();
    await server.stop();
  });

  it("shares a port with plain HTTP when both were asked for", async () => {
    const server = await TestServer.start();
    const spare = await TestServer.start();
    const { port } = spare;
    await spare.stop();
    const listeners = await server.server.listenAll(
      [`http://127.0.0.1:${port}`, `https://127.0.0.1:${port}`],
      { tls: server1 },
    );
    assert.equal(listeners.length, 1);
    assert.equal(await callOver(port, { ca: certificates.authority }), "over tls");
    const client = await RawClient.open(port);
    client.unary(1, unaryPath, Buffer.from("plain"));
    assert.equal((await client.answer(1)).trailers["grpc-status"], "0");
    client.destroy();
    await server.stop();
  });

  it("knows a client by its certificate, and refuses one without", async () => {
    const peers: Peer[] = [];
    const who: GrpcHandler = {
      kind: "single",
      onRequest(call: GrpcCall, message) {
        peers.push(call.peer);
        call.respond(message);
      },
    };
    const server = await TestServer.start({ routes: new Map([...testRoutes, [unaryPath, who]]) });
    const tls = { ...server1, ca: certificates.authority, requestCert: true, rejectUnauthorized: true };
    const { port } = await server.server.listen("https://127.0.0.1:0", tls);
    const client = {
      ca: certificates.authority,
      cert: certificates.client.cert,
      key: certificates.client.key,
    };
    await callOver(port!, client);
    assert.equal(peers[0]!.certificateCommonName, "root");
    assert.equal(peers[0]!.secure, true);
    await assert.rejects(callOver(port!, { ca: certificates.authority }));
    await waitFor("the connection to be gone", () => server.server.counters.openHttp2Connections === 0);
    await server.stop();
  });

  it("changes its certificate while it serves", async () => {
    const server = await TestServer.start();
    const listener = await server.server.listen("https://127.0.0.1:0", server1);
    assert.equal(await shownName(listener.port!), "one");
    listener.setSecureContext(server2);
    assert.equal(await shownName(listener.port!), "two");
    await server.stop();
  });

  it("tells of handshakes that fail", async () => {
    const failures: string[] = [];
    const server = await TestServer.start({
      observer: { onTlsError: (cause) => failures.push(cause.message) },
    });
    const { port } = await server.server.listen("https://127.0.0.1:0", server1);
    await assert.rejects(callOver(port!, {}));
    const garbage = await RawClient.plain(port!);
    garbage.send(Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]));
    await garbage.closed();
    await waitFor("a failure to be told", () => failures.length > 0);
    await server.stop();
  });
});
