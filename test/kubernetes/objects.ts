/** What everybody does with objects: make, read, change, list by pages, delete. */
import assert from "node:assert/strict";
import type { Report } from "../support/report.ts";
import { eventually } from "../support/report.ts";
import { KubeError, type KubeObject } from "./kube-client.ts";
import type { ApiServer, Member, World } from "./world.ts";

export interface Context {
  readonly world: World;
  readonly members: readonly Member[];
  readonly api: ApiServer;
  readonly report: Report;
}

export const configMap = (name: string, data: Record<string, string> = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});

/** Makes a namespace of the check's own, and answers with the path of a resource in it. */
export async function namespace({ api }: Context, name: string): Promise<(resource: string) => string> {
  await api.client.create("/api/v1/namespaces", { metadata: { name } });
  return (resource) => `/api/v1/namespaces/${name}/${resource}`;
}

/** Rejects unless the call is refused with this status and reason. */
export async function refused(call: Promise<unknown>, status: number, reason: string): Promise<KubeError> {
  const error = await call.then(
    () => undefined,
    (error) => error,
  );
  assert.ok(error instanceof KubeError, `it was not refused: ${error}`);
  assert.deepEqual({ status: error.status, reason: error.reason }, { status, reason });
  return error;
}

export async function objectChecks(context: Context): Promise<void> {
  const { api, report } = context;
  const { client } = api;
  await report.check("the API server is ready, with its checks of etcd", async () => {
    const text = await client.text("/readyz?verbose");
    for (const line of ["[+]etcd ok", "[+]etcd-readiness ok", "readyz check passed"]) {
      assert.ok(text.includes(line), text);
    }
    assert.match(await client.text("/livez?verbose"), /\[\+\]etcd ok/);
  });
  await report.check("Kubernetes makes its own objects", async () => {
    const has = async (path: string): Promise<boolean> => (await client.ask("GET", path)).status === 200;
    for (const path of [
      "/api/v1/namespaces/kube-system",
      "/api/v1/namespaces/kube-node-lease",
      "/api/v1/namespaces/default/services/kubernetes",
      "/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin",
      "/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical",
      "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/catch-all",
    ]) {
      await eventually(`${path} is there`, () => has(path), { timeoutMs: 60_000, everyMs: 100 });
    }
  });
  await report.check("an object is made, read, changed and deleted", () => wholeLife(context));
  await report.check("a second object of one name is refused, and a change of an old one", () =>
    conflicts(context),
  );
  await report.check("twenty patches of one object at once all come in", () => patches(context));
  await report.check("server-side apply remembers who owns a field", () => serverSideApply(context));
  await report.check("a list by pages shows one instant", () => paging(context));
  await report.check("a list at an old revision shows the past", () => exactList(context));
  await report.check("a collection is deleted by label", () => deleteCollection(context));
  await report.check("a namespace ends when its finalizer is taken off", () => namespaceEnds(context));
  await report.check("objects of 900 kB go in and out, and larger ones are refused", () => large(context));
}

async function wholeLife(context: Context): Promise<void> {
  const { client } = context.api;
  const path = (await namespace(context, "life"))("configmaps");
  const made = await client.create(path, configMap("one", { a: "1" }));
  assert.deepEqual(await client.get(`${path}/one`), made);
  const changed = await client.update(`${path}/one`, { ...made, data: { a: "2" } });
  assert.ok(Number(changed.metadata.resourceVersion) > Number(made.metadata.resourceVersion));
  const patched = await client.patch(`${path}/one`, [{ op: "add", path: "/data/b", value: "3" }], "json");
  assert.deepEqual(patched["data"], { a: "2", b: "3" });
  // The resource version is the revision of the key in the store.
  const found = await context.world.ctl(
    context.members[0]!,
    "get",
    "/registry/configmaps/life/one",
    "-w=json",
  );
  const kv = JSON.parse(found.stdout).kvs[0];
  assert.equal(String(kv.mod_revision), patched.metadata.resourceVersion);
  assert.equal(kv.version, 3);
  await client.delete(`${path}/one`);
  await refused(client.get(`${path}/one`), 404, "NotFound");
}

async function conflicts(context: Context): Promise<void> {
  const { client } = context.api;
  const path = (await namespace(context, "conflicts"))("configmaps");
  const first = await client.create(path, configMap("one"));
  await refused(client.create(path, configMap("one")), 409, "AlreadyExists");
  await client.update(`${path}/one`, { ...first, data: { by: "a" } });
  await refused(client.update(`${path}/one`, { ...first, data: { by: "b" } }), 409, "Conflict");
  const wrong = { preconditions: { resourceVersion: first.metadata.resourceVersion } };
  await refused(client.delete(`${path}/one`, wrong), 409, "Conflict");
  assert.deepEqual((await client.get(`${path}/one`))["data"], { by: "a" });
}

async function patches(context: Context): Promise<void> {
  const { client } = context.api;
  const path = (await namespace(context, "patches"))("configmaps");
  await client.create(path, configMap("one"));
  const names = Array.from({ length: 20 }, (_, i) => `k${i}`);
  // A patch without a resource version is tried again by the API server itself, five times: some may need us.
  const add = async (name: string): Promise<void> => {
    for (let tries = 0; tries < 20; tries++) {
      const answer = await client.ask(
        "PATCH",
        `${path}/one`,
        { data: { [name]: "x" } },
        "application/merge-patch+json",
      );
      if (answer.status === 200) return;
      assert.equal(answer.status, 409, answer.text);
    }
    throw new Error(`${name} was refused twenty times`);
  };
  await Promise.all(names.map(add));
  assert.deepEqual(Object.keys((await client.get(`${path}/one`))["data"]).sort(), names.sort());
}

async function serverSideApply(context: Context): Promise<void> {
  const { client } = context.api;
  const path = (await namespace(context, "apply"))("configmaps");
  const apply = (manager: string, data: Record<string, string>): Promise<KubeObject> =>
    client.patch(`${path}/one?fieldManager=${manager}`, configMap("one", data), "apply");
  await apply("a", { x: "1" });
  await apply("b", { y: "2" });
  await refused(apply("b", { x: "9", y: "2" }), 409, "Conflict");
  assert.deepEqual((await apply("a", {}))["data"], { y: "2" });
}

async function paging(context: Context): Promise<void> {
  const { client } = context.api;
  const path = (await namespace(context, "pages"))("configmaps");
  const names = Array.from({ length: 120 }, (_, i) => `c${String(i).padStart(3, "0")}`);
  for (let at = 0; at < names.length; at += 20) {
    await Promise.all(names.slice(at, at + 20).map((name) => client.create(path, configMap(name))));
  }
  const first = await client.list(`${path}?limit=50`);
  assert.equal(first.metadata.remainingItemCount, 70);
  await client.create(path, configMap("c050-after"));
  await client.delete(`${path}/c119`);
  const next = (list: typeof first): string => encodeURIComponent(list.metadata.continue ?? "");
  const second = await client.list(`${path}?limit=50&continue=${next(first)}`);
  const third = await client.list(`${path}?limit=50&continue=${next(second)}`);
  assert.equal(third.metadata.continue ?? "", "");
  const versions = [first, second, third].map((list) => list.metadata.resourceVersion);
  assert.equal(new Set(versions).size, 1, `the pages are of revisions ${versions}`);
  const items = [first, second, third].flatMap((list) => list.items.map(({ metadata }) => metadata.name));
  assert.deepEqual(items, names);
}

async function exactList(context: Context): Promise<void> {
  const { client } = context.api;
  const path = (await namespace(context, "past"))("configmaps");
  await client.create(path, configMap("one"));
  const { resourceVersion } = (await client.create(path, configMap("two"))).metadata;
  await client.delete(`${path}/one`);
  await client.create(path, configMap("three"));
  const past = await client.list(`${path}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`);
  assert.equal(past.metadata.resourceVersion, resourceVersion);
  assert.deepEqual(
    past.items.map(({ metadata }) => metadata.name),
    ["one", "two"],
  );
  const now = await client.list(path);
  assert.deepEqual(
    now.items.map(({ metadata }) => metadata.name),
    ["three", "two"],
  );
  const future = Number(now.metadata.resourceVersion) + 1_000_000;
  const answer = await client.ask(
    "GET",
    `${path}?resourceVersion=${future}&resourceVersionMatch=NotOlderThan`,
  );
  assert.equal(answer.status, 504, answer.text); // Too large resource version
}

async function deleteCollection(context: Context): Promise<void> {
  const { client } = context.api;
  const path = (await namespace(context, "collection"))("configmaps");
  for (let i = 0; i < 30; i++) {
    await client.create(path, { metadata: { name: `c${i}`, labels: { odd: String(i % 2) } } });
  }
  await client.delete(`${path}?labelSelector=odd%3D1`);
  const left = await client.list(path);
  assert.equal(left.items.length, 15);
  assert.ok(left.items.every(({ metadata }) => metadata.labels?.["odd"] === "0"));
}

async function namespaceEnds(context: Context): Promise<void> {
  const { client } = context.api;
  await namespace(context, "ends");
  const path = "/api/v1/namespaces/ends";
  const ending = await client.delete(path);
  assert.equal(ending["status"].phase, "Terminating");
  await refused(client.create(`${path}/configmaps`, configMap("late")), 403, "Forbidden");
  await client.update(`${path}/finalize`, { ...ending, spec: { finalizers: [] } });
  await eventually("it is gone", async () => (await client.ask("GET", path)).status === 404);
}

async function large(context: Context): Promise<void> {
  const { client } = context.api;
  const path = (await namespace(context, "large"))("configmaps");
  const text = "x".repeat(900_000);
  await client.create(path, configMap("one", { text }));
  assert.equal((await client.get(`${path}/one`))["data"].text, text);
  // Kubernetes lets a ConfigMap have 1 MiB of data; a custom resource of more than etcd's 1.5 MiB is the store's to refuse.
  const answer = await client.ask("POST", path, configMap("two", { text: "x".repeat(2_000_000) }));
  assert.ok(answer.status === 413 || answer.status === 422, `${answer.status} ${answer.text.slice(0, 300)}`);
  await client.delete(`${path}/one`);
}
