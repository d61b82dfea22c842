import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { grpcFields, grpcMessage, type RawClient, requestFields, uint32 } from "../testing/raw-client.ts";
import { assertServes, unaryPath, withClient } from "../testing/with-client.ts";

const streamPath = "/test.Echo/Stream";

/** Opens call 1, sends what it is told, and returns how it ended. */
async function outcome(
  client: RawClient,
  path: string,
  body: Uint8Array,
  fields: readonly (readonly [string, string])[] = [],
): Promise<string> {
  client.call(1, path, fields);
  client.data(1, body, true);
  const { status, trailers } = await client.answer(1);
  return `${status} ${trailers["grpc-status"]} ${trailers["grpc-message"] ?? ""}`;
}

describe("a refused call", () => {
  const message = grpcMessage(Buffer.from("x"));
  const compressed = grpcMessage(Buffer.of(1), 1);
  type Fields = readonly (readonly [string, string])[];
  const hosts: Fields = [
    ["host", "a"],
    ["host", "b"],
  ];
  const badTimeout = 'transport: timeout unit is not recognized: "1x"';
  const identityText = "grpc: compressed flag set with identity or empty encoding";
  const hostsText =
    "num values of :authority: 1, num values of host: 2, both must only have 1 value as per HTTP/2 spec";
  const base64Text = 'malformed binary metadata "YQ=" in header "x-bin": illegal base64 data at input byte 2';
  const snappyText = 'grpc: Decompressor is not installed for grpc-encoding "snappy"';
  const cases: readonly (readonly [string, string, Uint8Array, Fields, string])[] = [
    ["an unknown method", "/test.Echo/None", message, [], "200 12 unknown method None for service test.Echo"],
    ["an unknown service", "/test.No/None", message, [], "200 12 unknown service test.No"],
    ["a malformed path", "/none", message, [], '200 12 malformed method name: "/none"'],
    ["a path without a slash", "none", message, [], '200 12 malformed method name: "none"'],
    ["no message", unaryPath, Buffer.alloc(0), [], "200 2 EOF"],
    ["part of a prefix", unaryPath, Buffer.of(0, 0), [], "200 2 EOF"],
    ["part of a message", unaryPath, Buffer.of(0, 0, 0, 0, 9, 1), [], "200 2 unexpected EOF"],
    ["part of a message in a stream", streamPath, Buffer.of(0, 0), [], "200 13 unexpected EOF"],
    [
      "an unknown flag",
      unaryPath,
      grpcMessage(message, 2),
      [],
      "200 13 grpc: received unexpected payload format 2",
    ],
    ["compression without encoding", unaryPath, compressed, [], `200 13 ${identityText}`],
    [
      "compression with identity",
      unaryPath,
      compressed,
      [["grpc-encoding", "identity"]],
      `200 13 ${identityText}`,
    ],
    ["an unknown encoding", unaryPath, message, [["grpc-encoding", "snappy"]], `200 12 ${snappyText}`],
    [
      "a bad timeout",
      unaryPath,
      message,
      [["grpc-timeout", "1x"]],
      `400 13 malformed grpc-timeout: ${badTimeout}`,
    ],
    ["no time at all", unaryPath, message, [["grpc-timeout", "0S"]], "200 4 context deadline exceeded"],
    ["bad base64", unaryPath, message, [["x-bin", "YQ="]], `400 13 ${base64Text}`],
    ["two hosts", unaryPath, message, hosts, `400 13 ${hostsText}`],
    ["a connection header", unaryPath, message, [["connection", "close"]], "undefined undefined "],
  ];
  for (const [what, path, body, fields, expected] of cases) {
    it(
      `for ${what}`,
      withClient({}, async (client) => {
        assert.equal(await outcome(client, path, body, fields), expected);
        await assertServes(client, 3);
      }),
    );
  }

  it(
    "for a message larger than allowed, as soon as that is known",
    withClient({}, async (client) => {
      client.call(1, unaryPath);
      client.data(1, Buffer.concat([Buffer.of(0), uint32(65_537)]), false);
      const { trailers } = await client.answer(1);
      assert.equal(trailers["grpc-status"], "8");
      assert.equal(trailers["grpc-message"], "grpc: received message larger than max (65537 vs. 65536)");
      await assertServes(client, 3);
    }),
  );

  it(
    "for another content-type that begins like gRPC's",
    withClient({}, async (client) => {
      client.headers(1, [...requestFields("POST", unaryPath), ["content-type", "application/grpcx"]], true);
      const { headers } = await client.answer(1);
      assert.equal(headers[":status"], "415");
      assert.equal(headers["grpc-message"], 'invalid gRPC request content-type "application/grpcx"');
    }),
  );

  it(
    "for another method than POST",
    withClient({}, async (client) => {
      client.headers(1, [...requestFields("GET", unaryPath), ["content-type", "application/grpc"]], true);
      const { headers } = await client.answer(1);
      assert.equal(headers[":status"], "405");
      assert.equal(
        headers["grpc-message"],
        'Received a HEADERS frame with :method "GET" which should be POST',
      );
    }),
  );

  it(
    "without any host",
    withClient({}, async (client) => {
      client.headers(
        1,
        grpcFields(unaryPath).filter(([name]) => name !== ":authority"),
        true,
      );
      const { headers } = await client.answer(1);
      assert.equal(headers[":status"], "400");
      assert.equal(headers["grpc-message"], "no host or :authority header present");
    }),
  );
});
