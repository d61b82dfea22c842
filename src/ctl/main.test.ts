import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { revisionAtRequest, revisionAtResponse } from "../client/messages/explore.ts";
import { keyValue, rangeRequest, rangeResponse, txnRequest, txnResponse } from "../client/messages/kv.ts";
import { decode, encode } from "../client/wire/codec.ts";
import { errors } from "../errors/table.ts";
import type { GrpcHandler } from "../transport/grpc.ts";
import { TestServer } from "../transport/testing/test-server.ts";
import type { CtlIo } from "./io.ts";
import { runCtl } from "./main.ts";

const folder = mkdtempSync(join(tmpdir(), "etclite-ctl-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Run {
  readonly input?: string;
  readonly env?: Record<string, string>;
}

async function ctl(words: readonly string[], { input = "", env = {} }: Run = {}) {
  const out: Buffer[] = [];
  let err = "";
  const lines = input.split("\n");
  const io: CtlIo = {
    out: (data) => void out.push(Buffer.from(data as string)),
    err: (text) => {
      err += text;
    },
    readLine: async () =>
      lines.length === 0 ? undefined : { text: lines.shift()!, isWhole: lines.length > 0 },
    readAll: async () => Buffer.from(input),
    askSecret: async () => "secret",
    env,
    isTerminal: false,
  };
  const status = await runCtl(words, io, { showsBeyond: true });
  return { status, out: Buffer.concat(out).toString(), err };
}

const single = (answer: (message: Uint8Array) => Uint8Array): GrpcHandler => ({
  kind: "single",
  onRequest: (call, message) => call.respond(answer(message)),
});

async function withServer(
  routes: Readonly<Record<string, GrpcHandler>>,
  run: (endpoint: string) => Promise<void>,
): Promise<void> {
  const server = await TestServer.start({ routes: new Map(Object.entries(routes)) });
  try {
    await run(`127.0.0.1:${server.port}`);
  } finally {
    await server.stop();
  }
}

const kv = {
  key: Buffer.from("k"),
  value: Buffer.from("v\xff", "latin1"),
  mod_revision: 7n,
  create_revision: 3n,
};
const header = { cluster_id: 2n ** 64n - 1n, member_id: 255n, revision: 9n, raft_term: 2n };

describe("etcdctl", () => {
  it("prints what it got in every format", () =>
    withServer(
      { "/etcdserverpb.KV/Range": single(() => encode(rangeResponse, { header, kvs: [kv], count: 1n })) },
      async (endpoint) => {
        const get = async (...more: string[]) =>
          (await ctl(["get", "k", "--endpoints", endpoint, ...more])).out;
        assert.equal(await get("--hex"), "\\x6b\n\\x76\\xff\n");
        assert.equal(await get("--print-value-only", "--hex"), "\\x76\\xff\n");
        assert.equal(
          await get("-w", "json"),
          '{"header":{"cluster_id":18446744073709551615,"member_id":255,"revision":9,"raft_term":2},' +
            '"kvs":[{"key":"aw==","create_revision":3,"mod_revision":7,"value":"dv8="}],"count":1}\n',
        );
        assert.match(await get("-w", "fields"), /^"ClusterID" : 18446744073709551615\n/);
        assert.match(await get("-w", "fields"), /^"Value" : "v\\xff"$/m);
        const refused = await ctl(["get", "k", "--endpoints", endpoint, "-w", "table"]);
        assert.deepEqual(refused, {
          status: 4,
          out: "",
          err: "Error: table not supported as output format\n",
        });
      },
    ));

  it("asks for what the flags say", async () => {
    let asked: Uint8Array = new Uint8Array(0);
    await withServer(
      {
        "/etcdserverpb.KV/Range": single((message) => {
          asked = message;
          return encode(rangeResponse, {});
        }),
      },
      async (endpoint) => {
        const request = async (...words: string[]) => {
          const { status, err } = await ctl(["get", "--endpoints", endpoint, ...words]);
          assert.equal(status, 0, err);
          return decode(rangeRequest, asked);
        };
        const all = await request("", "--prefix");
        assert.deepEqual([...all.key, ...all.range_end], [0, 0]);
        const prefix = await request("a\u00ff", "--prefix", "--limit=5", "--rev", "3", "--consistency=s");
        assert.deepEqual([...prefix.range_end], [0x61, 0xc3, 0xc0]);
        assert.deepEqual([prefix.limit, prefix.revision, prefix.serializable], [5n, 3n, true]);
        const early = await ctl(["--endpoints", endpoint, "--consistency", "s", "get", "a"]);
        assert.equal(early.status, 0, early.out + early.err);
        assert.equal(decode(rangeRequest, asked).serializable, true);
        const sorted = await request("a", "z", "--sort-by=create", "--order=descend");
        assert.deepEqual([sorted.sort_target, sorted.sort_order], [2, 2]);
      },
    );
  });

  it("reads transactions", async () => {
    let asked = decode(txnRequest, new Uint8Array(0));
    await withServer(
      {
        "/etcdserverpb.KV/Txn": single((message) => {
          asked = decode(txnRequest, message);
          return encode(txnResponse, { succeeded: true, responses: [{ response_put: {} }] });
        }),
      },
      async (endpoint) => {
        const input = 'mod("a\\xff") > "7"\nlease("b") = "1f"\n\nput "x y" \'z\'\n\ndel k --prefix\n\n';
        const { out, status } = await ctl(["txn", "--endpoints", endpoint], { input });
        assert.deepEqual([status, out], [0, "SUCCESS\n\nOK\n"]);
      },
    );
    assert.deepEqual([...asked.compare[0]!.key], [0x61, 0xff]);
    assert.deepEqual([asked.compare[0]!.result, asked.compare[0]!.mod_revision], [1, 7n]);
    assert.equal(asked.compare[1]!.lease, 0x1fn);
    assert.equal(Buffer.from(asked.success[0]!.request_put!.key).toString(), "x y");
    assert.equal(Buffer.from(asked.failure[0]!.request_delete_range!.range_end).toString(), "l");
  });

  it("ends with etcd's words and status", () =>
    withServer(
      { "/etcdserverpb.KV/Range": { kind: "single", onRequest: (call) => call.fail(errors.compacted()) } },
      async (endpoint) => {
        const { status, err } = await ctl(["get", "a", "--endpoints", endpoint]);
        assert.equal(status, 1);
        assert.equal(err.trimEnd().split("\n").at(-1), `Error: ${errors.compacted.text}`);
        assert.deepEqual(await ctl(["put"]), {
          status: 128,
          out: "",
          err: "Error: put command needs 1 argument and input from stdin or 2 arguments\n",
        });
      },
    ));

  it("takes settings from variables and contexts, and flags before both", () =>
    withServer(
      { "/etcdserverpb.KV/Range": single(() => encode(rangeResponse, { header, kvs: [kv] })) },
      async (endpoint) => {
        const path = join(folder, "ctl.yaml");
        const text = `# mine\ncurrent-context: a\ncontexts:\n  a: { endpoints: [${endpoint}], write-out: json }\n  b: { endpoints: [127.0.0.1:1], command-timeout: 50ms }\n`;
        writeFileSync(path, text);
        const env = { ETCDCTL_CONFIG: path };
        assert.match((await ctl(["get", "k"], { env })).out, /^\{"header"/);
        assert.match((await ctl(["get", "k", "-w", "fields"], { env })).out, /^"ClusterID"/);
        const variable = { ...env, ETCDCTL_WRITE_OUT: "fields" };
        assert.match((await ctl(["get", "k"], { env: variable })).out, /^"ClusterID"/);
        assert.equal((await ctl(["get", "k", "--context", "b"], { env })).status, 1);
        assert.equal((await ctl(["get", "k", "--context", "c"], { env })).status, 128);
        assert.equal((await ctl(["context"], { env })).out, "* a\n  b\n");
        assert.equal((await ctl(["context", "b"], { env })).out, "b is the current context\n");
        assert.match(readFileSync(path, "utf8"), /^# mine\ncurrent-context: b\n/);
        const missing = await ctl(["get", "k"], { env: { ETCDCTL_CONFIG: join(folder, "nosuch") } });
        assert.match(missing.err, /^Error: ETCDCTL_CONFIG: there is no file /);
        const both = { env: { ETCDCTL_ENDPOINTS: endpoint } };
        const shadowed = await ctl(["get", "k", "--endpoints", endpoint], both);
        assert.equal(shadowed.status, 1);
        assert.match(shadowed.err, /conflicting environment variable is shadowed/);
      },
    ));

  it("reads as it was at a time, and says how sure that is", async () => {
    const asked: { at: bigint; revision: bigint }[] = [];
    let at = 0n;
    const routes = {
      "/etclitepb.Explore/RevisionAt": single((message: Uint8Array) => {
        at = decode(revisionAtRequest, message).time_ms;
        return encode(revisionAtResponse, { revision: 7n, latest_revision: 9n, is_uncertain: true });
      }),
      "/etcdserverpb.KV/Range": single((message: Uint8Array) => {
        asked.push({ at, revision: decode(rangeRequest, message).revision });
        return encode(rangeResponse, { header, kvs: [kv] });
      }),
    };
    await withServer(routes, async (endpoint) => {
      const get = (...words: string[]) => ctl(["get", "k", "--endpoints", endpoint, ...words]);
      const told = await get("--at-time", "2026-01-31T12:00:00Z");
      assert.deepEqual(asked, [{ at: BigInt(Date.UTC(2026, 0, 31, 12)), revision: 7n }]);
      assert.match(
        told.err,
        /^revisions 7 to 9 were made within a second of that time: this is 7\n.*revisions after 7/,
      );
      const before = Date.now();
      await get("--at-time", "1h30m");
      assert.ok(Math.abs(Number(asked[1]!.at) - (before - 5_400_000)) < 60_000);
      for (const wrong of ["yesterday", "2026-13-01", "-5m"]) {
        const refused = await get(`--at-time=${wrong}`);
        assert.equal(refused.status, 128);
        assert.match(refused.err, /is not a time as 2026-01-31T12:00:00Z, or how long ago as 10m/);
      }
      assert.equal((await get("--at-time", "1m", "--rev", "3")).status, 128);
    });
    await withServer({}, async (endpoint) => {
      const { status, err } = await ctl(["get", "k", "--at-time", "1m", "--endpoints", endpoint]);
      assert.equal(status, 1);
      assert.match(
        err,
        /Error: --at-time: the server keeps no record of when revisions were made; only etclite does/,
      );
    });
  });

  it("lists one level of the keys, without reading what is below", async () => {
    const keys = ["/a", "/b/1", "/b/2", "/b/3/x", "/c/1", "/d", "z"].map((key) => Buffer.from(key));
    let reads = 0;
    await withServer(
      {
        "/etcdserverpb.KV/Range": single((message) => {
          reads++;
          const { key, range_end } = decode(rangeRequest, message);
          const isOpen = range_end.length === 1 && range_end[0] === 0;
          const found = keys.filter(
            (one) => Buffer.compare(one, key) >= 0 && (isOpen || Buffer.compare(one, range_end) < 0),
          );
          return encode(rangeResponse, {
            kvs: found.map((one) => ({ ...decode(keyValue, new Uint8Array(0)), key: one })),
          });
        }),
      },
      async (endpoint) => {
        const ls = async (...words: string[]) => (await ctl(["ls", "--endpoints", endpoint, ...words])).out;
        assert.equal(await ls("/"), "/a\n/b/\n/c/\n/d\n");
        assert.ok(reads <= 3, `${reads} reads`);
        assert.equal(await ls(), "/\nz\n");
        assert.equal(await ls("/b/", "--recursive"), "/b/1\n/b/2\n/b/3/\n  x\n");
      },
    );
  });

  it("completes commands, flags and their values", async () => {
    const offers = async (...words: string[]) =>
      (await ctl(["__complete", ...words])).out.split("\n").map((line) => line.split("\t")[0]);
    assert.deepEqual(await offers("mem"), ["member", ":4", ""]);
    assert.deepEqual(await offers("member", "up"), ["update", ":4", ""]);
    assert.deepEqual(await offers("--endpoints", "x", "get", "--key"), ["--keys-only", "--key", ":4", ""]);
    assert.deepEqual(await offers("get", "-w", "j"), ["json", ":0", ""]);
    assert.deepEqual(await offers("get", "--write-out=f"), ["fields", ":0", ""]);
    assert.deepEqual(await offers("completion", "z"), ["zsh", ":4", ""]);
  });

  it("has help as etcdctl prints it", async () => {
    const { out } = await ctl(["endpoint", "hashkv", "--help"]);
    assert.equal(
      out,
      [
        "Prints the KV history hash for each endpoint in --endpoints",
        "",
        "Usage:",
        "  etcdctl endpoint hashkv [flags]",
        "",
        "Flags:",
        "  -h, --help      help for hashkv",
        "      --rev int   maximum revision to hash (default: latest revision)",
        "",
        "Global Flags:",
        "      --cluster   use all endpoints from the cluster member list",
        'Use "etcdctl options" for a list of global command-line options (applies to all commands).',
        "",
      ].join("\n"),
    );
    const refused = await ctl(["gett"]);
    assert.equal(refused.status, 1);
    assert.match(refused.err, /^Error: unknown command "gett" for "etcdctl"\n\nDid you mean this\?\n\tget\n/);
  });
});
