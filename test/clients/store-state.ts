/** What a store holds, as clients see it, and something to hold. */
import assert from "node:assert/strict";
import { postJson } from "../support/http.ts";
import { Random } from "../support/random.ts";
import type { ServerProcess } from "../support/server-process.ts";
import type { Ctl } from "./etcdctl/ctl.ts";

export async function hashKv(ctl: Ctl, revision = 0) {
  interface JsonHash {
    readonly HashKV: { hash: number; hash_revision: number; compact_revision: number };
  }
  const [answer] = await ctl.json<JsonHash[]>(["endpoint", "hashkv", `--rev=${revision}`]);
  assert.ok(answer);
  const { hash, hash_revision, compact_revision } = answer.HashKV;
  return { hash, hash_revision, compact_revision };
}

/** All that a client can see, but for what differs from cluster to cluster. */
export async function stateOf(ctl: Ctl) {
  const hash = await hashKv(ctl);
  const past = Math.max(hash.compact_revision, Math.floor((hash.compact_revision + hash.hash_revision) / 2));
  const { leases = [] } = await ctl.json<{ leases?: { id: number }[] }>(["lease", "list"]);
  const ids = (await ctl.lines(["lease", "list"])).slice(1).sort();
  assert.equal(ids.length, leases.length);
  const terms: Record<string, unknown> = {};
  for (const id of ids) {
    const line = await ctl.ok(["lease", "timetolive", id, "--keys"]);
    const [, ttl, keys = ""] = /granted with TTL\((\d+s)\), .*attached keys\(\[(.*)\]\)/.exec(line) ?? [];
    // etcd gives them in no order.
    terms[id] = { ttl, keys: keys.split(" ").sort() };
  }
  return {
    hash,
    now: await ctl.kvs(["--prefix", ""]),
    past: await ctl.kvs(["--prefix", "", `--rev=${past}`]),
    terms,
    alarms: await ctl.ok(["alarm", "list"]),
  };
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** Through the JSON gateway, which is quicker than a process for each put. */
const call = (server: ServerProcess, path: string, body: unknown): Promise<Record<string, unknown>> =>
  postJson(server.clientPort, path, body);

export const put = (server: ServerProcess, key: string, value: string) =>
  call(server, "/v3/kv/put", { key: base64(key), value: base64(value) });

/** Puts, deletes, transactions, leases and a compaction, from a seed. */
export async function fill(server: ServerProcess, seed: number): Promise<void> {
  const random = new Random(seed);
  const leases: unknown[] = [];
  for (let i = 0; i < 3; i++) leases.push((await call(server, "/v3/lease/grant", { TTL: 5000 + i }))["ID"]);
  const key = () => base64(`${random.pick(["a", "b/", "c/d/"])}${random.below(300)}`);
  let revision = 0;
  for (let i = 0; i < 60; i++) {
    const used = new Set<string>();
    const success = Array.from({ length: random.between(1, 100) }, () => {
      const name = key();
      // A transaction may write a key only once.
      if (used.has(name)) return undefined;
      used.add(name);
      if (random.chance(0.15)) return { requestDeleteRange: { key: name } };
      const value = base64("x".repeat(random.pick([0, 3, 200, 5000])) + i);
      const lease = random.chance(0.2) ? { lease: random.pick(leases) } : {};
      return { requestPut: { key: name, value, ...lease } };
    }).filter((request) => request !== undefined);
    const { header } = await call(server, "/v3/kv/txn", { success });
    revision = Number((header as { revision: string }).revision);
  }
  await put(server, "large", "y".repeat(1_000_000));
  await call(server, "/v3/kv/compaction", { revision: revision - 20, physical: true });
}
