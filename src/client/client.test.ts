import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EtcdError, GrpcCode } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import type { GrpcCall, GrpcHandler } from "../transport/grpc.ts";
import { testCertificates } from "../transport/testing/certificates.ts";
import { TestServer } from "../transport/testing/test-server.ts";
import { waitFor } from "../transport/testing/wait-for.ts";
import { Client, type ClientOptions } from "./client.ts";
import { authenticateResponse } from "./messages/auth.ts";
import { rangeRequest, rangeResponse } from "./messages/kv.ts";
import { snapshotResponse } from "./messages/maintenance.ts";
import { watchRequest, watchResponse } from "./messages/watch.ts";
import { put, range } from "./methods/kv.ts";
import { snapshot } from "./methods/maintenance.ts";
import { watch } from "./methods/watch.ts";
import { decode, encode } from "./wire/codec.ts";

const key = Buffer.from("k");

function single(answer: (call: GrpcCall, message: Uint8Array) => void): GrpcHandler {
  return { kind: "single", onRequest: answer };
}

/** Answers a range with a count that says which of the servers it was. */
const counting = (count: bigint): GrpcHandler =>
  single((call) => call.respond(encode(rangeResponse, { count })));

async function withServer(
  routes: Readonly<Record<string, GrpcHandler>>,
  run: (options: ClientOptions, server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await TestServer.start({ routes: new Map(Object.entries(routes)) });
  try {
    await run({ endpoints: [`127.0.0.1:${server.port}`] }, server);
  } finally {
    await server.stop();
  }
  assert.deepEqual(server.faults, []);
}

async function withClient(options: ClientOptions, run: (client: Client) => Promise<void>): Promise<void> {
  const client = await Client.connect(options);
  try {
    await run(client);
  } finally {
    client.close();
  }
}

describe("a client", () => {
  it("asks and is answered, also with messages larger than windows and frames", () =>
    withServer(
      {
        "/etcdserverpb.KV/Range": single((call, message) => {
          const { key } = decode(rangeRequest, message);
          const value = Buffer.alloc(3_000_000, 7);
          call.respond(encode(rangeResponse, { kvs: [{ key, value, mod_revision: 2n ** 62n }] }));
        }),
      },
      (options) =>
        withClient(options, async (client) => {
          const large = Buffer.alloc(60_000, 1);
          const { kvs } = await client.unary(range, { key: large });
          assert.equal(kvs[0]!.value.length, 3_000_000);
          assert.deepEqual(Buffer.from(kvs[0]!.key), large);
          assert.equal(kvs[0]!.mod_revision, 2n ** 62n);
        }),
    ));

  it("tells errors in the words of Go's client", () =>
    withServer(
      {
        "/etcdserverpb.KV/Range": single((call) => call.fail(errors.compacted())),
        "/etcdserverpb.KV/Put": single((call) => call.fail(new EtcdError(GrpcCode.aborted, "50% für\nSie"))),
      },
      (options) =>
        withClient(options, async (client) => {
          await assert.rejects(client.unary(range, { key }), { message: errors.compacted.text });
          await assert.rejects(client.unary(put, { key }), {
            message: "rpc error: code = Aborted desc = 50% für\nSie",
          });
        }),
    ));

  it("ends by its deadline, with a server and without", () =>
    withServer({ "/etcdserverpb.KV/Range": single(() => {}) }, async (options) => {
      for (const endpoints of [options.endpoints, ["127.0.0.1:1"]]) {
        await withClient({ endpoints }, (client) =>
          assert.rejects(client.unary(range, { key }, { timeoutMs: 100 }), {
            message: "context deadline exceeded",
          }),
        );
      }
    }));

  it("goes to the endpoint that answers", () =>
    withServer({ "/etcdserverpb.KV/Range": counting(7n) }, (options) =>
      withClient({ endpoints: ["127.0.0.1:1", ...options.endpoints] }, async (client) => {
        for (let i = 0; i < 4; i++) assert.equal((await client.unary(range, { key })).count, 7n);
      }),
    ));

  it("repeats what may be repeated, and nothing else", () => {
    let ranges = 0;
    let puts = 0;
    return withServer(
      {
        "/etcdserverpb.KV/Range": single((call) => {
          if (++ranges < 4) call.fail(errors.noLeader());
          else call.respond(encode(rangeResponse, {}));
        }),
        "/etcdserverpb.KV/Put": single((call) => {
          puts++;
          call.fail(errors.noLeader());
        }),
      },
      (options) =>
        withClient(options, async (client) => {
          await client.unary(range, { key });
          assert.equal(ranges, 4);
          await assert.rejects(client.unary(put, { key }), { message: errors.noLeader.text });
          assert.equal(puts, 1);
        }),
    );
  });

  it("asks for another token when its own is forgotten", () => {
    let tokens = 0;
    return withServer(
      {
        "/etcdserverpb.Auth/Authenticate": single((call) =>
          call.respond(encode(authenticateResponse, { token: `token.${++tokens}` })),
        ),
        "/etcdserverpb.KV/Range": single((call) => {
          if (call.metadata.get("token") === "token.2") call.respond(encode(rangeResponse, { count: 1n }));
          else call.fail(errors.invalidAuthToken());
        }),
      },
      (options) =>
        withClient({ ...options, user: { name: "u", password: "p" } }, async (client) => {
          assert.equal((await client.unary(range, { key })).count, 1n);
          assert.equal(tokens, 2);
        }),
    );
  });

  it("reads a long stream, and holds the server back while it does not", () => {
    const blobs = 64;
    let written = 0;
    return withServer(
      {
        "/etcdserverpb.Maintenance/Snapshot": single((call) => {
          const more = (): void => {
            while (written < blobs) {
              written++;
              const isFull = !call.write(encode(snapshotResponse, { blob: Buffer.alloc(200_000, written) }));
              if (isFull && written < blobs) return;
            }
            call.end();
          };
          call.onDrain(more);
          more();
        }),
      },
      (options) =>
        withClient(options, async (client) => {
          const stream = await client.serverStream(snapshot, {});
          await stream.next();
          await client.unary(range, { key }).catch(() => {});
          assert.ok(written < blobs, `${written} blobs were written for a reader that had read one`);
          let count = 1;
          for await (const { blob } of stream) assert.deepEqual([blob.length, blob[0]], [200_000, ++count]);
          assert.equal(count, blobs);
        }),
    );
  });

  it("speaks both ways, and the server hears when it stops", () => {
    const cancelled = Promise.withResolvers<void>();
    return withServer(
      {
        "/etcdserverpb.Watch/Watch": {
          kind: "stream",
          open(call) {
            call.onCancel(cancelled.resolve);
            return {
              onMessage(message) {
                const { create_request } = decode(watchRequest, message);
                call.write(encode(watchResponse, { created: true, watch_id: create_request!.watch_id }));
              },
              onHalfClose() {},
            };
          },
        },
      },
      (options) =>
        withClient(options, async (client) => {
          const stream = await client.duplex(watch);
          for (const watch_id of [5n, 6n]) {
            stream.send({ create_request: { key, watch_id } });
            assert.equal((await stream.next())?.watch_id, watch_id);
          }
          stream.cancel();
          assert.equal(await stream.next(), undefined);
          await cancelled.promise;
        }),
    );
  });

  it("speaks TLS, and says who it does not trust", async () => {
    const { authority, server1 } = testCertificates;
    const server = await TestServer.start({ routes: new Map([["/etcdserverpb.KV/Range", counting(3n)]]) });
    try {
      const listener = await server.server.listen("https://127.0.0.1:0", server1);
      const endpoints = [`https://127.0.0.1:${listener.port}`];
      await withClient({ endpoints, tls: { ca: authority } }, async (client) => {
        assert.equal((await client.unary(range, { key }, { timeoutMs: 60_000 })).count, 3n);
      });
      // It is refused after the handshake, as TLS 1.3 has it: that is no reason to try call after call.
      const strict = await server.server.listen("https://127.0.0.1:0", {
        ...server1,
        ca: authority,
        requestCert: true,
        rejectUnauthorized: true,
      });
      const failed: unknown[] = [];
      await withClient(
        {
          endpoints: [`https://127.0.0.1:${strict.port}`],
          tls: { ca: authority },
          onFailedAttempt: async (attempt) => {
            // The call fails no sooner than it was told of.
            await new Promise((resolve) => setTimeout(resolve, 20));
            failed.push(attempt);
          },
        },
        async (client) => {
          await waitFor("a refusal", () => client.channel.connectError !== undefined);
          await assert.rejects(client.unary(put, { key }, { timeoutMs: 300 }), {
            message: "context deadline exceeded",
          });
          assert.equal(failed.length, 1);
        },
      );
      await withClient({ endpoints }, async (client) => {
        await waitFor("a refusal", () => client.channel.connectError !== undefined);
        await assert.rejects(client.unary(range, { key }, { timeoutMs: 300 }), {
          message: "context deadline exceeded",
        });
        assert.match(client.channel.connectError ?? "", /certificate signed by unknown authority/);
      });
    } finally {
      await server.stop();
    }
  });
});
