import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Client } from "../../src/client/client.ts";
import type { MessageStream } from "../../src/client/message-stream.ts";
import type { WatchCreateRequest, WatchRequest, WatchResponse } from "../../src/client/messages/watch.ts";
import { compact, deleteRange, put } from "../../src/client/methods/kv.ts";
import { watch } from "../../src/client/methods/watch.ts";
import type { Init } from "../../src/client/wire/message.ts";
import { waitFor } from "../../src/transport/testing/wait-for.ts";
import { metricIn, type ProxyTry, withProxy } from "./with-proxy.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString();
type Stream = MessageStream<WatchRequest, WatchResponse>;

async function begin(
  client: Client,
  create: Init<WatchCreateRequest>,
): Promise<{ stream: Stream; created: WatchResponse }> {
  const stream = await client.duplex(watch);
  return { stream, created: await ask(stream, create) };
}

async function ask(stream: Stream, create: Init<WatchCreateRequest>): Promise<WatchResponse> {
  stream.send({ create_request: create });
  const created = await next(stream);
  assert.ok(created.created);
  return created;
}

async function next(stream: Stream): Promise<WatchResponse> {
  const answer = await stream.next();
  assert.ok(answer !== undefined, "the stream has ended");
  return answer;
}

/** Reads until that many events have come. */
async function events(stream: Stream, count: number): Promise<string[]> {
  const seen: string[] = [];
  while (seen.length < count) {
    for (const { type, kv } of (await next(stream)).events) {
      seen.push(type === 0 ? `${text(kv?.key)}=${text(kv?.value)}` : `-${text(kv?.key)}`);
    }
  }
  return seen;
}

const set = async (client: Client, key: string, value: string): Promise<bigint> =>
  (await client.unary(put, { key: bytes(key), value: bytes(value) })).header?.revision ?? 0n;

const watchersAtServer = ({ serverMetric }: ProxyTry): number =>
  serverMetric("etcd_debugging_mvcc_watcher_total");
const streamsAtServer = ({ serverMetric }: ProxyTry): number =>
  serverMetric("etcd_debugging_mvcc_watch_stream_total");

describe("watches through the proxy", () => {
  it("are one watch and one stream at the server for a hundred clients", async () => {
    await withProxy([], async (parts) => {
      const { client, get } = parts;
      const watches: Stream[] = [];
      for (let i = 0; i < 100; i++) {
        watches.push((await begin(client, { key: bytes("a") })).stream);
        // Some of them come in the midst of changes.
        if (i % 10 === 0) await set(client, "a", `early ${i}`);
      }
      const last = await set(client, "a", "last");
      for (const stream of watches) {
        let revision = 0n;
        while (revision < last) {
          for (const { kv } of (await next(stream)).events) {
            assert.ok((kv?.mod_revision ?? 0n) > revision, "an event came twice");
            revision = kv?.mod_revision ?? 0n;
          }
        }
      }
      await waitFor("the watches to become few", () => watchersAtServer(parts) === 1);
      assert.equal(streamsAtServer(parts), 1);
      const { text: metrics } = await get("/proxy/metrics");
      assert.equal(metricIn(metrics, "etcd_grpc_proxy_watchers_coalescing_total"), 99);
      assert.ok(metricIn(metrics, "etcd_grpc_proxy_events_coalescing_total") >= 99);
      for (const stream of watches) stream.cancel();
      await waitFor(
        "the watches to become few",
        () => watchersAtServer(parts) === 0 && streamsAtServer(parts) === 0,
      );
      assert.deepEqual(parts.proxy.watches.counts, { broadcasts: 0, sessions: 0, groups: 0 });
    });
  });

  it("from an old revision are joined with the others when they have caught up", async () => {
    await withProxy([], async (parts) => {
      const { client } = parts;
      const first = await set(client, "k", "1");
      await set(client, "k", "2");
      const now = await begin(client, { key: bytes("k") });
      const old = await begin(client, { key: bytes("k"), start_revision: first });
      assert.deepEqual(await events(old.stream, 2), ["k=1", "k=2"]);
      await set(client, "k", "3");
      assert.deepEqual(await events(old.stream, 1), ["k=3"]);
      assert.deepEqual(await events(now.stream, 1), ["k=3"]);
      await waitFor("the watches to become few", () => watchersAtServer(parts) === 1);
      await client.unary(deleteRange, { key: bytes("k") });
      assert.deepEqual(await events(old.stream, 1), ["-k"]);
      assert.deepEqual(await events(now.stream, 1), ["-k"]);
    });
  });

  it("are joined without an event too, because the server is asked how far it is", async () => {
    await withProxy([], async (parts) => {
      const { client } = parts;
      const first = await set(client, "k", "1");
      const now = await begin(client, { key: bytes("k") });
      const old = await begin(client, { key: bytes("k"), start_revision: first });
      assert.deepEqual(await events(old.stream, 1), ["k=1"]);
      await waitFor("one watch", () => watchersAtServer(parts) === 1);
      await set(client, "k", "2");
      assert.deepEqual(await events(old.stream, 1), ["k=2"]);
      assert.deepEqual(await events(now.stream, 1), ["k=2"]);
    });
  });

  it("with other filters or previous values are others", async () => {
    await withProxy([], async (parts) => {
      const { client } = parts;
      await set(client, "k", "0");
      const all = await begin(client, { key: bytes("k"), prev_kv: true });
      const deletes = await begin(client, { key: bytes("k"), filters: [0] });
      await waitFor("the watches to become few", () => watchersAtServer(parts) === 2);
      await set(client, "k", "1");
      await client.unary(deleteRange, { key: bytes("k") });
      const { events: seen } = await next(all.stream);
      assert.equal(text(seen[0]?.prev_kv?.value), "0");
      assert.deepEqual(await events(deletes.stream, 1), ["-k"]);
    });
  });

  it("answer as a server does what is wrong with a request", async () => {
    await withProxy([], async ({ client, direct }) => {
      await set(client, "k", "1");
      const requests: Init<WatchCreateRequest>[] = [
        { key: bytes("k"), start_revision: -1n },
        { key: bytes("k"), range_end: bytes("a") },
        { key: bytes("k"), watch_id: 7n },
        { key: bytes("k"), watch_id: 7n },
        { key: bytes("k") },
        { key: bytes(""), range_end: Uint8Array.of(0) },
      ];
      const answers: WatchResponse[][] = [];
      for (const one of [client, direct]) {
        const stream = await one.duplex(watch);
        const seen: WatchResponse[] = [];
        for (const create of requests) seen.push(await ask(stream, create));
        stream.send({ cancel_request: { watch_id: 7n } });
        seen.push(await next(stream));
        stream.send({ progress_request: {} });
        seen.push(await next(stream));
        answers.push(seen.map((answer) => ({ ...answer, header: undefined })));
        stream.cancel();
      }
      assert.deepEqual(answers[0], answers[1]);
    });
  });

  it("begin behind the revision that their answer names", async () => {
    await withProxy([], async ({ client, direct }) => {
      const before = await set(direct, "k", "1");
      const { created, stream } = await begin(client, { key: bytes("k") });
      assert.equal(created.header?.revision, before);
      assert.notEqual(created.header?.cluster_id, 0n);
      const after = await set(direct, "k", "2");
      const { events: seen, header } = await next(stream);
      assert.deepEqual([seen.length, seen[0]?.kv?.mod_revision, header?.revision], [1, after, after]);
    });
  });

  it("end when what they want is compacted, and only they", async () => {
    await withProxy([], async ({ client }) => {
      const first = await set(client, "k", "1");
      await set(client, "k", "2");
      const last = await set(client, "k", "3");
      const now = await begin(client, { key: bytes("k") });
      await client.unary(compact, { revision: last, physical: true });
      const old = await begin(client, { key: bytes("k"), start_revision: first });
      const end = await next(old.stream);
      assert.deepEqual([end.canceled, end.compact_revision], [true, last]);
      await set(client, "k", "4");
      assert.deepEqual(await events(now.stream, 1), ["k=4"]);
    });
  });

  it("keep little for a client that does not read, and lose nothing", async () => {
    await withProxy([], async (parts) => {
      const { client, another, proxy } = parts;
      const value = "x".repeat(256 * 1024);
      const slow = await begin(await another(), { key: bytes("k") });
      const quick = await begin(client, { key: bytes("k") });
      let revision = 0n;
      const count = 40;
      const quickly = events(quick.stream, count);
      for (let i = 0; i < count; i++) revision = await set(client, "k", value);
      assert.equal((await quickly).length, count);
      // The slow one has left, and waits for its reader.
      await waitFor("the watches to become few", () => proxy.watches.counts.broadcasts === 1);
      const { text: metrics } = await parts.get("/proxy/metrics");
      assert.equal(metricIn(metrics, "etcd_grpc_proxy_watchers_coalescing_total"), 0);
      const revisions: bigint[] = [];
      while (revisions.at(-1) !== revision) {
        for (const { kv } of (await next(slow.stream)).events) revisions.push(kv?.mod_revision ?? 0n);
      }
      assert.equal(revisions.length, count);
      assert.deepEqual(
        revisions,
        [...new Set(revisions)].sort((a, b) => Number(a - b)),
      );
    });
  });
});
