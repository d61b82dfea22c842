import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { create, type DescMethodServerStreaming } from "@bufbuild/protobuf";
import { Code, ConnectError, cors, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import {
  Cluster,
  KV,
  Maintenance,
  Watch,
  WatchCreateRequestSchema,
  WatchRequestSchema,
} from "../../gen/etcdserverpb/rpc_pb.ts";
import type { GrpcCall } from "../../transport/grpc.ts";
import { leavingFetch } from "../testing/leaving-fetch.ts";
import { startTestApp, type TestApp } from "../testing/test-app.ts";
import { answerBytesMax } from "./connect.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

/** What a browser calls: one request, then answers. */
const watchFromBrowser = {
  ...Watch.method.watch,
  methodKind: "server_streaming",
} as unknown as DescMethodServerStreaming<typeof WatchRequestSchema, typeof Watch.method.watch.output>;

let app: TestApp;
const open = new Set<GrpcCall>();
before(async () => {
  app = await startTestApp({
    wrapRoutes: (routes) => {
      const watch = routes.get("/etcdserverpb.Watch/Watch")!;
      if (watch.kind !== "stream") throw new Error("Watch is a stream");
      const counted = {
        kind: "stream" as const,
        open: (call: GrpcCall) => {
          open.add(call);
          call.onCancel(() => open.delete(call));
          return watch.open(call);
        },
      };
      const silent = { kind: "single" as const, onRequest() {} };
      const changed = new Map([
        ...routes,
        ["/etcdserverpb.Watch/Watch", counted],
        ["/etcdserverpb.Maintenance/Hash", silent],
      ]);
      changed.delete("/etcdserverpb.Cluster/MemberList");
      return changed;
    },
  });
});
after(() => app.stop());

type MakeTransport = (options?: { readonly fetch?: typeof fetch }) => Transport;
const transports: Record<string, MakeTransport> = {
  "gRPC-web": (options) => createGrpcWebTransport({ baseUrl: app.url, ...options }),
  "Connect, binary": (options) =>
    createConnectTransport({ baseUrl: app.url, useBinaryFormat: true, ...options }),
  "Connect, JSON": (options) => createConnectTransport({ baseUrl: app.url, ...options }),
};

for (const [name, transport] of Object.entries(transports)) {
  describe(name, () => {
    it("puts and gets", async () => {
      const kv = createClient(KV, transport());
      const put = await kv.put({ key: bytes(`${name}/k`), value: bytes("v") });
      const range = await kv.range({ key: bytes(`${name}/k`) });
      assert.equal(text(range.kvs[0]?.value), "v");
      assert.equal(range.kvs[0]?.modRevision, put.header?.revision);
    });

    it("says etcd's errors", async () => {
      await assert.rejects(createClient(KV, transport()).put({}), (error: unknown) => {
        assert.ok(error instanceof ConnectError);
        assert.equal(error.code, Code.InvalidArgument);
        assert.equal(error.rawMessage, "etcdserver: key is not provided");
        return true;
      });
    });

    it("ends a call at its deadline, and refuses what is not served", async () => {
      const refusal = (code: Code) => (error: unknown) => ConnectError.from(error).code === code;
      const hash = createClient(Maintenance, transport()).hash({}, { timeoutMs: 20 });
      await assert.rejects(hash, refusal(Code.DeadlineExceeded));
      const list = createClient(Cluster, transport()).memberList({});
      await assert.rejects(list, refusal(Code.Unimplemented));
    });

    it("watches live, and ends the watch when the client leaves", async () => {
      const kv = createClient(KV, transport());
      const key = bytes(`${name}/w`);
      const leave = new AbortController();
      const createRequest = create(WatchCreateRequestSchema, { key });
      const request = create(WatchRequestSchema, {
        requestUnion: { case: "createRequest", value: createRequest },
      });
      const stream = await transport({ fetch: leavingFetch }).stream(
        watchFromBrowser,
        leave.signal,
        undefined,
        undefined,
        (async function* () {
          yield request;
        })(),
      );
      const answers = stream.message[Symbol.asyncIterator]();
      assert.equal((await answers.next()).value?.created, true);
      for (const value of ["1", "2"]) {
        await kv.put({ key, value: bytes(value) });
        const answer = await answers.next();
        assert.equal(text(answer.value?.events[0]?.kv?.value), value);
      }
      assert.equal(open.size, 1);
      const [call] = open;
      const gone = new Promise<void>((resolve) => call!.onCancel(resolve));
      leave.abort();
      await assert.rejects(answers.next());
      await gone;
      assert.equal(open.size, 0);
    });

    it("streams a range", async () => {
      const kv = createClient(KV, transport());
      for (const i of ["1", "2"]) await kv.put({ key: bytes(`${name}/range/${i}`), value: bytes(i) });
      const range = { key: bytes(`${name}/range/`), rangeEnd: bytes(`${name}/range0`) };
      const received: string[] = [];
      for await (const { rangeResponse } of kv.rangeStream(range)) {
        received.push(...(rangeResponse?.kvs ?? []).map(({ value }) => text(value)));
      }
      assert.deepEqual(received, ["1", "2"]);
    });

    it("ends a streamed range with rows, and tells the revision and the count with them", async () => {
      const kv = createClient(KV, transport());
      const value = new Uint8Array(100_000);
      for (let i = 0; i < 7; i++) await kv.put({ key: bytes(`${name}/pieces/${i}`), value });
      const range = { key: bytes(`${name}/pieces/`), rangeEnd: bytes(`${name}/pieces0`) };
      for (const [limit, rows] of [
        [0n, 7],
        [1n, 1],
        [6n, 6],
      ] as const) {
        const pieces = [];
        for await (const { rangeResponse } of kv.rangeStream({ ...range, limit }))
          pieces.push(rangeResponse!);
        const last = pieces.pop()!;
        assert.ok(last.kvs.length > 0, `limit ${limit}: the last piece is empty`);
        assert.ok((last.header?.revision ?? 0n) > 0n);
        assert.deepEqual([last.more, last.count], [rows < 7, 7n]);
        for (const { header, more, count } of pieces)
          assert.deepEqual([header, more, count], [undefined, false, 0n]);
        assert.equal(pieces.length > 0, rows > 1, `limit ${limit}: ${pieces.length} pieces before the last`);
        assert.equal(pieces.flatMap(({ kvs }) => kvs).length + last.kvs.length, rows);
      }
    });

    it("streams a snapshot", async () => {
      let total = 0;
      let last: bigint | undefined;
      for await (const { blob, remainingBytes } of createClient(Maintenance, transport()).snapshot({})) {
        total += blob.length;
        last = remainingBytes;
      }
      assert.equal(last, 0n);
      assert.equal(total % 512, 32);
    });
  });
}

describe("a large answer", () => {
  it("comes as one message up to a limit, and can be had as a stream", { timeout: 60_000 }, async () => {
    const large = await startTestApp();
    const kv = createClient(KV, createConnectTransport({ baseUrl: large.url, useBinaryFormat: true }));
    const web = createClient(KV, createGrpcWebTransport({ baseUrl: large.url }));
    const json = createClient(KV, createConnectTransport({ baseUrl: large.url }));
    const piece = new Uint8Array(1024 * 1024).fill(7);
    for (let i = 0; i <= answerBytesMax / piece.length; i++)
      await kv.put({ key: bytes(`${i}`), value: piece });
    const range = { key: bytes("0"), rangeEnd: bytes("a") };
    const some = { ...range, limit: 10n };
    const isTooLarge = (error: unknown) => ConnectError.from(error).code === Code.ResourceExhausted;
    await assert.rejects(kv.range(range), isTooLarge);
    for (const client of [kv, web]) {
      const { kvs } = await client.range(some);
      assert.equal(kvs.length, 10);
      assert.ok(kvs.every(({ value }) => Buffer.compare(value, piece) === 0));
    }
    await assert.rejects(json.range(some), isTooLarge);
    assert.equal((await json.range({ ...range, limit: 2n })).kvs.length, 2);
    let received = 0;
    for await (const { rangeResponse } of kv.rangeStream(range)) {
      for (const { value } of rangeResponse?.kvs ?? []) received += value.length;
    }
    assert.equal(received, answerBytesMax + piece.length);
    await large.stop();
  });
});

describe("pages of other origins", () => {
  it("may ask for what gRPC-web and Connect need", async () => {
    const preflight = await fetch(`${app.url}/etcdserverpb.KV/Put`, {
      method: "OPTIONS",
      headers: { Origin: "http://page.example", "Access-Control-Request-Method": "POST" },
    });
    assert.equal(preflight.status, 200);
    assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
    const allowed = preflight.headers.get("access-control-allow-headers")!.split(", ");
    assert.equal(new Set(allowed).size, allowed.length);
    for (const name of [...cors.allowedHeaders, "authorization", "token"]) {
      assert.ok(allowed.includes(name.toLowerCase()), name);
    }
    const exposed = preflight.headers.get("access-control-expose-headers");
    assert.equal(exposed, cors.exposedHeaders.join(", "));
  });

  it("see etcd's own fields elsewhere", async () => {
    const answer = await fetch(`${app.url}/version`);
    assert.equal(answer.headers.get("access-control-allow-headers"), "accept, content-type, authorization");
    assert.equal(answer.headers.get("access-control-expose-headers"), null);
  });
});
