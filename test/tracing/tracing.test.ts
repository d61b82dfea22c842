/** `--enable-distributed-tracing`, seen by a collector. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { SpanExporter } from "../../src/runtime/span-exporter.ts";
import { waitFor } from "../../src/transport/testing/wait-for.ts";
import { httpPost, postJson } from "../support/http.ts";
import { cleanEnvironment, type ServerProcess } from "../support/server-process.ts";
import { startFromSource } from "../support/source-server.ts";
import { Collector, type ReceivedSpan } from "./collector.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const traceId = "0af7651916cd43dd8448eb211c80319c";
const parentId = "b7ad6b7169203331";
/** Of the calls below, without their children. */
const calls = 8;

/** Processes start slowly on a machine that does other things. */
const slow = { timeout: 120_000 };

describe("distributed tracing", () => {
  let folder = "";
  let collector: Collector;
  let server: ServerProcess;
  let spans: readonly ReceivedSpan[] = [];

  // A test and not a hook, because not every runtime lets a hook take long.
  it("starts, and tells of calls soon", slow, async () => {
    folder = mkdtempSync(join(tmpdir(), "etclite-tracing-"));
    collector = await Collector.start();
    server = await startFromSource({
      folder,
      // OpenTelemetry's own variable: the test need not wait for the usual five seconds.
      env: { ...cleanEnvironment(), OTEL_BSP_SCHEDULE_DELAY: "50" },
      flags: [
        "--enable-distributed-tracing",
        `--distributed-tracing-address=127.0.0.1:${collector.port}`,
        "--distributed-tracing-service-name=store",
        "--distributed-tracing-instance-id=one",
        "--distributed-tracing-sampling-rate=1000000",
      ],
    });
    await postJson(server.clientPort, "/v3/kv/put", { key: base64("k"), value: base64("v") });
    await postJson(server.clientPort, "/v3/kv/range", { key: base64("k"), limit: "7" });
    await postJson(server.clientPort, "/v3/kv/txn", {
      compare: [{ key: base64("c"), target: "VERSION", version: "0" }],
      success: [{ request_put: { key: base64("t") } }],
    });
    await httpPost(server.clientPort, "/v3/kv/range", JSON.stringify({ key: "" }));
    await fetch(`${server.url}/v3/kv/put`, {
      method: "POST",
      headers: { "Grpc-Metadata-Traceparent": `00-${traceId}-${parentId}-01` },
      body: JSON.stringify({ key: base64("p") }),
    });
    await postJson(server.clientPort, "/v3/auth/user/add", { name: "u", password: "p" });
    await httpPost(server.clientPort, "/v3/lease/revoke", JSON.stringify({ ID: "77" }));
    const watching = await fetch(`${server.url}/v3/watch`, {
      method: "POST",
      body: JSON.stringify({ create_request: { key: base64("w"), range_end: base64("\0"), prev_kv: true } }),
    });
    const reader = watching.body!.getReader();
    await reader.read();
    await reader.cancel();
    ({ spans } = collector);
    const isCall = ({ name }: ReceivedSpan) => name.startsWith("etcdserverpb.");
    await waitFor("the spans", () => spans.filter(isCall).length === calls);
    await server.stop();
  });
  after(async () => {
    await server?.stop();
    await collector?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const named = (name: string): ReceivedSpan[] => spans.filter((span) => span.name === name);

  it("has a span for each call, and one for what it does", () => {
    const [call] = named("etcdserverpb.KV/Put");
    const [put] = named("put");
    assert.ok(call && put);
    assert.deepEqual([put.parentSpanId, put.traceId], [call.spanId, call.traceId]);
    assert.equal(call.attributes["rpc.system.name"], "grpc");
    assert.equal(call.attributes["rpc.method"], "etcdserverpb.KV/Put");
    assert.equal(call.attributes["rpc.response.status_code"], "OK");
    assert.equal(put.attributes["rpc.response.status_code"], undefined);
    assert.equal(put.attributes["key"], "k");
    assert.deepEqual(put.events, ["Send raft proposal", "Receive raft result"]);
    assert.deepEqual(call.resource, { "service.name": "store", "service.instance.id": "one" });
  });

  it("names what etcd names", () => {
    const [range] = named("range");
    const { range_begin, limit, count_only } = range!.attributes;
    assert.deepEqual({ range_begin, limit, count_only }, { range_begin: "k", limit: 7, count_only: false });
    const txn = named("txn")[0]!.attributes;
    assert.deepEqual(
      [txn["compare_first_key"], txn["success_first_key"], txn["success_first_type"], txn["read_only"]],
      ["c", "t", "put", false],
    );
  });

  it("has a span for each watch, until its call ends", () => {
    const [call] = named("etcdserverpb.Watch/Watch");
    const [watch] = named("watch");
    assert.equal(watch?.parentSpanId, call?.spanId);
    assert.equal(call?.attributes["rpc.response.status_code"], "CANCELLED");
    const { key, range_end, prev_kv, fragment } = watch!.attributes;
    assert.deepEqual([key, range_end, prev_kv, fragment], ["w", "", true, false]);
  });

  it("says of changes of users that they went through the log, and names revoked leases", () => {
    const events = ["Send raft proposal", "Receive raft result"];
    assert.deepEqual(named("etcdserverpb.Auth/UserAdd")[0]?.events, events);
    const [revoke] = named("lease_revoke");
    assert.equal(revoke?.attributes["id"], "77");
  });

  it("tells how a call failed", () => {
    const failed = named("etcdserverpb.KV/Range").map((span) => span.attributes["rpc.response.status_code"]);
    assert.deepEqual(failed.sort(), ["INVALID_ARGUMENT", "OK"]);
  });

  it("goes on with the trace of the client", () => {
    const [call] = spans.filter((span) => span.traceId === traceId && span.name === "etcdserverpb.KV/Put");
    assert.equal(call?.parentSpanId, parentId);
  });

  it("sends what is left when it stops", slow, async () => {
    const exporter = new SpanExporter({
      address: `127.0.0.1:${collector.port}`,
      serviceName: "stopping",
      instanceId: "",
      samplingRatePerMillion: 1_000_000,
    });
    exporter.begin("the last", undefined, {})?.end(0);
    await exporter.stop();
    assert.equal(named("the last").length, 1);
  });
});
