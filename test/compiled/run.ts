/** Tries the compiled program as a user would: `bun test/compiled/run.ts [--server PATH]`. Part of `.ci/run`. */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  PutRequestSchema,
  PutResponseSchema,
  RangeRequestSchema,
  RangeResponseSchema,
} from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { exec } from "../support/exec.ts";
import { GrpcClient } from "../support/grpc-client.ts";
import { httpGet, postJson } from "../support/http.ts";
import { Report } from "../support/report.ts";
import { commonHelp, commonOptions, scratchFolder, serverProgram } from "../support/scratch.ts";
import { ServerProcess } from "../support/server-process.ts";
import { Stopwatch } from "../support/stopwatch.ts";

const { values: options } = parseArgs({
  options: { ...commonOptions, help: { type: "boolean", default: false } },
});
if (options.help) {
  console.log(`usage: bun test/compiled/run.ts [options]\n${commonHelp}`);
  process.exit(0);
}
const program = serverProgram(options.server);
const folder = scratchFolder("compiled", options);
const report = new Report({ prefix: "compiled" });
const [key, value] = [new TextEncoder().encode("compiled/a"), new TextEncoder().encode("from gRPC")];
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

await report.check("--version names etcd's version", async () => {
  const { stdout, status } = await exec(program, ["--version"]);
  assert.equal(status, 0);
  assert.match(stdout, /^etcd Version: 3\.7\.3$/m);
});
await report.check("an unknown flag is refused", async () => {
  const { status, stderr, stdout } = await exec(program, ["--no-such-flag"]);
  assert.notEqual(status, 0);
  assert.match(stderr + stdout, /no-such-flag/);
});

let server = await ServerProcess.start({ program, folder });
await report.check("starts and is healthy", () => server.ready());
await report.check("says that it is ready in its log", () => server.logged(/ready to serve client requests/));
await report.check("/version", async () => {
  const ask = async () => JSON.parse((await httpGet(server.clientPort, "/version")).body);
  let versions = await ask();
  // The leader decides on the cluster's version just after it is ready.
  while (versions.etcdcluster === "not_decided") versions = await ask();
  assert.deepEqual(versions, { etcdserver: "3.7.3", etcdcluster: "3.7.0", storage: "3.7.0" });
});
await report.check("put and get through gRPC", async () => {
  const client = new GrpcClient(server.url);
  try {
    const put = toBinary(PutRequestSchema, create(PutRequestSchema, { key, value }));
    const done = fromBinary(PutResponseSchema, await client.unary("/etcdserverpb.KV/Put", put));
    const range = toBinary(RangeRequestSchema, create(RangeRequestSchema, { key }));
    const found = fromBinary(RangeResponseSchema, await client.unary("/etcdserverpb.KV/Range", range));
    assert.deepEqual(Buffer.from(found.kvs[0]?.value ?? []), Buffer.from(value));
    assert.equal(found.kvs[0]?.modRevision, done.header?.revision);
  } finally {
    client.close();
  }
});
await report.check("put and get through JSON", async () => {
  const name = base64(new TextEncoder().encode("compiled/b"));
  await postJson(server.clientPort, "/v3/kv/put", { key: name, value: base64(value) });
  const found = await postJson<{ kvs: { value: string }[] }>(server.clientPort, "/v3/kv/range", {
    key: name,
  });
  assert.equal(found.kvs[0]?.value, base64(value));
});
await report.check("a second server on the same data is refused", async () => {
  const second = await ServerProcess.start({ program, folder });
  const exit = await second.exited;
  assert.notEqual(exit.status, 0);
  assert.equal(exit.signal, null);
});
await report.check("SIGTERM ends it within two seconds", async () => {
  const stopwatch = new Stopwatch();
  await server.stop();
  const ms = stopwatch.stop();
  assert.ok(ms < 2_000, `${Math.round(ms)} ms`);
});
await report.check("the data is there after a start", async () => {
  server = await ServerProcess.ready({ program, folder });
  const found = await postJson<{ kvs: { value: string }[] }>(server.clientPort, "/v3/kv/range", {
    key: base64(key),
  });
  assert.equal(found.kvs[0]?.value, base64(value));
});
await report.check("SIGINT ends it too", async () => {
  server.signal("SIGINT");
  await server.exited;
});

report.finish();
process.exit();
