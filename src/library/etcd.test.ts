import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Client } from "../client/client.ts";
import { range } from "../client/methods/kv.ts";
import { Etcd } from "./index.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Much for a machine that does nothing else. */
const timeout = 60_000;

describe("the library", () => {
  it("serves a client in the process, and any other by its endpoint", { timeout }, async () => {
    await using etcd = await Etcd.start({ memory: true });
    const { kv } = etcd.client;
    const revision = await kv.put("a", "1");
    assert.equal(revision, 2n);
    await kv.put("ab", new Uint8Array([0xff]));
    const found = await kv.get("a");
    assert.deepEqual([found?.key, found?.value, found?.modRevision], ["a", "1", 2n]);
    assert.equal(await kv.get("b"), undefined);
    assert.deepEqual(
      (await kv.list("a", { prefix: true })).map(({ key }) => key),
      ["a", "ab"],
    );
    assert.equal(await kv.count("", { prefix: true }), 2n);
    const other = await Client.connect({ endpoints: [etcd.endpoint] });
    const { kvs } = await other.unary(range, { key: bytes("a") }, { timeoutMs: 5_000 });
    assert.deepEqual(kvs[0]?.value, bytes("1"));
    other.close();
    assert.equal(await kv.delete("a", { prefix: true }), 2n);
    assert.match(etcd.metrics(), /^etcd_server_has_leader 1$/m);
  });

  it("watches, with history and without", { timeout }, async () => {
    await using etcd = await Etcd.start({ memory: true });
    const { kv } = etcd.client;
    await kv.put("k", "old");
    await using now = await etcd.client.watch("k", { previous: true });
    const history = await etcd.client.watch("", { prefix: true, startRevision: 2n });
    await kv.put("k", "new");
    await kv.delete("k");
    const seen: string[] = [];
    for await (const { type, kv: changed, previous } of now) {
      seen.push(`${type} ${changed.value} after ${previous?.value}`);
      if (seen.length === 2) break;
    }
    assert.deepEqual(seen, ["put new after old", "delete  after new"]);
    const types: string[] = [];
    for await (const { type } of history) {
      types.push(type);
      if (types.length === 3) break;
    }
    assert.deepEqual(types, ["put", "put", "delete"]);
  });

  it("lets everything else go on while it is asked again and again", { timeout }, async () => {
    await using etcd = await Etcd.start({ memory: true });
    const { kv } = etcd.client;
    let isOver = false;
    setTimeout(() => {
      isOver = true;
    }, 20);
    const put = kv.put("later", "1");
    do await kv.get("later");
    while (!isOver || (await kv.get("later")) === undefined);
    await put;
  });

  it("gives leases", { timeout }, async () => {
    await using etcd = await Etcd.start({ memory: true });
    const { kv, lease } = etcd.client;
    const id = await lease.grant(30);
    await kv.put("leased", "x", { lease: id });
    assert.equal(await lease.keepAliveOnce(id), 30);
    assert.ok((await lease.timeToLive(id)) > 0);
    await lease.revoke(id);
    assert.equal(await kv.get("leased"), undefined);
    assert.equal(await lease.keepAliveOnce(id), 0);
  });

  it("answers with etcd's errors, and minds limits of time", { timeout }, async () => {
    await using etcd = await Etcd.start({ memory: true });
    const { kv } = etcd.client;
    await assert.rejects(kv.put("", "x"), {
      name: "ClientError",
      message: "etcdserver: key is not provided",
    });
    await assert.rejects(kv.get("a", { revision: 99n }), /required revision is a future revision/);
    await assert.rejects(kv.get("a", { signal: AbortSignal.abort() }), /context canceled/);
    await assert.rejects(Etcd.start({}), /either \{ memory: true \}/);
    await assert.rejects(Etcd.start({ memory: true, nmae: "a" } as object), /did you mean "name"/);
  });

  it("has many at a time in one process, and leaves nothing behind", { timeout }, async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => Etcd.start({ memory: true })));
    await Promise.all(all.map((etcd, i) => etcd.client.kv.put("who", String(i))));
    const values = await Promise.all(all.map(async (etcd) => (await etcd.client.kv.get("who"))?.value));
    assert.deepEqual(values, ["0", "1", "2", "3", "4", "5", "6", "7"]);
    assert.equal(new Set(all.map(({ endpoint }) => endpoint)).size, 8);
    const [first] = all;
    const watcher = await first!.client.watch("who");
    const waiting = async () => {
      for await (const _ of watcher) assert.fail("nothing happens");
    };
    const ended = assert.rejects(waiting, /closing/);
    await Promise.all(all.map((etcd) => etcd.close()));
    await ended;
    await assert.rejects(first!.client.kv.get("who"), /closing/);
    await assert.rejects(fetch(`${first!.endpoint}/version`));
  });

  it("keeps what is in a folder", { timeout }, async () => {
    const dataDir = join(mkdtempSync(join(tmpdir(), "etclite-library-")), "data");
    const lines: string[] = [];
    {
      await using etcd = await Etcd.start({ dataDir, name: "n", onLog: (line) => lines.push(line) });
      await etcd.client.kv.put("a", "kept");
    }
    assert.ok(existsSync(dataDir));
    assert.ok(lines.some((line) => JSON.parse(line).msg === "starting etcd server"));
    {
      await using etcd = await Etcd.start({ dataDir, name: "n" });
      assert.equal((await etcd.client.kv.get("a"))?.value, "kept");
    }
    rmSync(join(dataDir, ".."), { recursive: true, force: true });
  });
});
