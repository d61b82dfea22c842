/** What the API server and the store wrote into their logs about each other. */
import assert from "node:assert/strict";
import type { Context } from "./objects.ts";

/** What a log may say on any store: each with where it comes from. */
const ofTheApiServer = [
  /operation was canceled|context canceled|use of closed network connection/, // it hangs up clients that it made to probe
  /Skipping API \S+ because it has no resources/,
  /required revision has been compacted/, // asked for on purpose
];
const ofTheStore = [
  /simple token is not cryptographically signed/,
  /Running http and grpc server on single port/, // etcd's, about its own server
  /rejected connection on client endpoint/, // the API server hung up while it was still greeting
  /"msg":"request stats"|took too long|slow fdatasync|waiting for ReadIndex|leader failed to send out heartbeat/, // busy machine
];

const without = (lines: readonly string[], known: readonly RegExp[]): string[] =>
  lines.filter((line) => !known.some((pattern) => pattern.test(line)));

export async function logChecks({ api, members, report }: Context): Promise<void> {
  await report.check("the API server has no complaint about the store", () => {
    const bad = api.process
      .log()
      .split("\n")
      .filter((line) => /^[WEF]\d{4} /.test(line));
    const aboutStore = bad.filter((line) =>
      /etcd|storage|compact|watch|grpc|transport:|rpc error/i.test(line),
    );
    assert.deepEqual(without(aboutStore, ofTheApiServer), []);
  });
  await report.check("the store logged no warning and no error of its own making", () => {
    const lines = members.flatMap(({ server }) => server.log().trim().split("\n"));
    const loud = lines.filter((line) => /"level":"(warn|error|fatal|panic)"/.test(line));
    assert.deepEqual(without(loud, ofTheStore), []);
  });
}
