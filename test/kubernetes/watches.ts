/** Watches: order, bookmarks, streaming lists, and reads that the API server's cache answers with the store's help. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { tie } from "../support/exec.ts";
import { eventually } from "../support/report.ts";
import { cleanEnvironment } from "../support/server-process.ts";
import type { WatchEvent } from "./kube-client.ts";
import { metric } from "./metrics.ts";
import { type Context, configMap, namespace } from "./objects.ts";

export async function watchChecks(context: Context): Promise<void> {
  const { report } = context;
  await report.check("a watch tells of changes in order, from a revision on", () => order(context));
  await report.check("bookmarks follow the store's revision while nothing changes", () => bookmarks(context));
  await report.check("a streaming list ends its first part with a bookmark", () => streamingList(context));
  await report.check("consistent lists come from the cache, by the progress of etcd's watches", () =>
    consistentReads(context),
  );
  await report.check("kubectl get --watch", () => kubectlWatch(context));
}

async function order(context: Context): Promise<void> {
  const { client } = context.api;
  const path = (await namespace(context, "order"))("configmaps");
  const { resourceVersion = "" } = (await client.create(path, configMap("before"))).metadata;
  await client.create(path, configMap("a"));
  const watch = client.watch(path, { resourceVersion });
  try {
    await client.patch(`${path}/a`, { data: { x: "1" } });
    await client.create(path, configMap("b"));
    await client.delete(`${path}/a`);
    await client.create(path, configMap("last"));
    await watch.until("the last is told of", ({ object }) => object.metadata.name === "last");
    assert.deepEqual(watch.changes(), ["ADDED a", "MODIFIED a", "ADDED b", "DELETED a", "ADDED last"]);
    const revisions = watch.events.map(({ object }) => Number(object.metadata.resourceVersion));
    assert.deepEqual(
      revisions,
      revisions.toSorted((a, b) => a - b),
    );
  } finally {
    watch.close();
  }
}

const isBookmark = ({ type }: WatchEvent): boolean => type === "BOOKMARK";

async function bookmarks(context: Context): Promise<void> {
  const { client } = context.api;
  const path = (await namespace(context, "bookmarks"))("configmaps");
  const elsewhere = (await namespace(context, "elsewhere"))("secrets");
  const { resourceVersion = "" } = (await client.create(path, configMap("one"))).metadata;
  // A watch gets a bookmark a little before the end it asked for: its revision has to be that of the other writes,
  // which this resource's watch in the store learns only by progress notifications (every five seconds).
  const watch = client.watch(path, { resourceVersion, allowWatchBookmarks: true, timeoutSeconds: 14 });
  try {
    const secret = await client.create(elsewhere, { metadata: { name: "other" } });
    const reached = (event: WatchEvent): boolean =>
      isBookmark(event) &&
      Number(event.object.metadata.resourceVersion) >= Number(secret.metadata.resourceVersion);
    await watch.until("a bookmark reaches the other write", reached, 20_000);
    assert.deepEqual(watch.changes(), []);
  } finally {
    watch.close();
  }
}

async function streamingList(context: Context): Promise<void> {
  const { client } = context.api;
  const path = (await namespace(context, "streaming"))("configmaps");
  const names = Array.from({ length: 30 }, (_, i) => `c${String(i).padStart(2, "0")}`);
  for (const name of names) await client.create(path, configMap(name));
  const watch = client.watch(path, {
    sendInitialEvents: true,
    resourceVersionMatch: "NotOlderThan",
    allowWatchBookmarks: true,
  });
  try {
    const { object } = await watch.until("the first part ends", isBookmark);
    assert.equal(object.metadata.annotations?.["k8s.io/initial-events-end"], "true");
    const first = watch.events.slice(0, watch.events.findIndex(isBookmark));
    const told = first.map((event) => `${event.type} ${event.object.metadata.name}`);
    assert.deepEqual(
      told,
      names.map((name) => `ADDED ${name}`),
    );
    await client.create(path, configMap("later"));
    await watch.until("the next change is told of", (event) => event.object.metadata.name === "later");
  } finally {
    watch.close();
  }
}

async function consistentReads(context: Context): Promise<void> {
  const { client } = context.api;
  const inNamespace = await namespace(context, "consistent");
  const reads = async (fallback: boolean): Promise<number> =>
    metric(await client.text("/metrics"), "apiserver_watch_cache_consistent_read_total", {
      resource: "configmaps",
      fallback: String(fallback),
    });
  await client.create(inNamespace("configmaps"), configMap("one"));
  const before = { cache: await reads(false), store: await reads(true) };
  let slowestMs = 0;
  for (let i = 0; i < 20; i++) {
    // A write of another resource raises the store's revision, so that the cache has to ask how far it is.
    await client.create(inNamespace("secrets"), { metadata: { name: `s${i}` } });
    const started = performance.now();
    const { items } = await client.list(inNamespace("configmaps"));
    slowestMs = Math.max(slowestMs, performance.now() - started);
    assert.ok(items.some(({ metadata }) => metadata.name === "one"));
  }
  const after = { cache: await reads(false), store: await reads(true) };
  assert.equal(after.cache - before.cache, 20, "lists that the cache answered");
  assert.equal(after.store, before.store, "lists for which the cache waited in vain");
  assert.ok(slowestMs < 3_000, `the slowest of them took ${slowestMs} ms`);
}

async function kubectlWatch(context: Context): Promise<void> {
  const { world, api } = context;
  const path = (await namespace(context, "kubectl"))("configmaps");
  await api.client.create(path, configMap("one"));
  const args = ["get", "configmaps", "-n", "kubectl", "--watch", "-o", "name"];
  const child = spawn(world.programs.kubectl, args, {
    env: { ...cleanEnvironment(), HOME: world.folder, KUBECONFIG: api.kubeconfig },
  });
  tie(child);
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  try {
    await eventually("kubectl shows what is there", () => text.includes("configmap/one"), {
      timeoutMs: 30_000,
    });
    await api.client.create(path, configMap("two"));
    await api.client.delete(`${path}/one`);
    await eventually("kubectl shows the deletion", () => (text.match(/configmap\/one/g) ?? []).length === 2);
    assert.equal(text, "configmap/one\nconfigmap/two\nconfigmap/one\n");
  } finally {
    child.kill();
  }
  const listed = await world.kubectl(
    api,
    "get",
    "configmaps",
    "-n",
    "kubectl",
    "--chunk-size=1",
    "-o",
    "name",
  );
  assert.equal(listed.stdout.trim(), "configmap/two", listed.stderr);
}
