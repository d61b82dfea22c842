/** What the API server asks of the store besides keys: compaction, leases, counts and sizes; and custom resources. */
import assert from "node:assert/strict";
import { httpGet } from "../support/http.ts";
import { eventually } from "../support/report.ts";
import type { KubeObject } from "./kube-client.ts";
import { metric } from "./metrics.ts";
import { type Context, configMap, namespace, refused } from "./objects.ts";
import type { Member, World } from "./world.ts";

/** Flags of the API server that make its habits fast enough to be watched. */
export const hastyFlags: readonly string[] = [
  "--etcd-compaction-interval=6s",
  "--etcd-count-metric-poll-period=1s",
  "--etcd-db-metric-poll-interval=1s",
  "--event-ttl=20s", // of which a twentieth, one second, is how long a lease takes further events
];

export async function storeChecks(context: Context): Promise<void> {
  const { report } = context;
  await report.check("the probes of kubeadm's static pod answer", () => probes(context));
  await report.check("custom resources", () => customResources(context));
  await report.check("a lease object is renewed a hundred times", () => leaseObject(context));
  await report.check("events go away by leases of the store", () => events(context), 120_000);
  await report.check("the API server counts objects and knows the store's size", () =>
    countsAndSize(context),
  );
  await report.check("the API server compacts, and what is older is gone", () => compaction(context));
  await report.check("no request to the store was in error", () => noErrors(context));
}

/** They go to the port for metrics, without TLS. */
async function probes({ members }: Context): Promise<void> {
  for (const { metricsPort } of members) {
    for (const path of ["/livez", "/readyz", "/health", "/metrics"]) {
      const { status, body } = await httpGet(metricsPort, path);
      assert.equal(status, 200, `${path}: ${body}`);
    }
  }
}

async function customResources(context: Context): Promise<void> {
  const { client } = context.api;
  const group = "checks.example.com";
  const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const crd = await client.create(crds, {
    metadata: { name: `things.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural: "things", singular: "thing", kind: "Thing" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  });
  const condition = async (type: string): Promise<boolean> => {
    const { status } = await client.get(`${crds}/${crd.metadata.name}`);
    return (status?.conditions ?? []).some((c: KubeObject) => c["type"] === type && c["status"] === "True");
  };
  await eventually("the definition is established", () => condition("Established"), { timeoutMs: 30_000 });
  const things = `/apis/${group}/v1/namespaces/default/things`;
  const thing = (name: string): unknown => ({
    apiVersion: `${group}/v1`,
    kind: "Thing",
    metadata: { name },
    size: 1,
  });
  await eventually("things are served", async () => (await client.ask("GET", things)).status === 200);
  const { resourceVersion } = (await client.list(things)).metadata;
  const watch = client.watch(things, { resourceVersion });
  for (let i = 0; i < 12; i++) await client.create(things, thing(`t${i}`));
  const pages = await client.pages(things, 5);
  assert.deepEqual(
    pages.map(({ items }) => items.length),
    [5, 5, 2],
  );
  await client.patch(`${things}/t0`, { size: 2 });
  await watch.until(
    "the watch tells of the patch",
    ({ type, object }) => type === "MODIFIED" && object["size"] === 2,
  );
  watch.close();
  await client.delete(`${crds}/${crd.metadata.name}`);
  const gone = async (): Promise<boolean> =>
    (await client.ask("GET", `${crds}/${crd.metadata.name}`)).status === 404;
  await eventually("the definition is gone", gone, { timeoutMs: 30_000, everyMs: 100 });
  const keys = await context.world.ctl(
    context.members[0]!,
    "get",
    `/registry/${group}/`,
    "--prefix",
    "--keys-only",
  );
  assert.equal(keys.stdout.trim(), "", "things that stayed in the store");
}

async function leaseObject(context: Context): Promise<void> {
  const { client } = context.api;
  const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
  let lease = await client.create(leases, { metadata: { name: "beat" }, spec: { holderIdentity: "me" } });
  for (let i = 1; i <= 100; i++) {
    lease["spec"] = {
      holderIdentity: "me",
      leaseTransitions: i,
      renewTime: new Date().toISOString().replace("Z", "000Z"),
    };
    lease = await client.update(`${leases}/beat`, lease);
  }
  assert.equal((await client.get(`${leases}/beat`))["spec"].leaseTransitions, 100);
}

async function leaseCount(world: World, member: Member): Promise<number> {
  const { stdout } = await world.ctl(member, "lease", "list", "-w=json");
  return (JSON.parse(stdout).leases ?? []).length;
}

async function events(context: Context): Promise<void> {
  const { api, world, members } = context;
  const { client } = api;
  const path = (await namespace(context, "events"))("events");
  const involvedObject = { kind: "Pod", namespace: "events", name: "none" };
  const make = (name: string): Promise<KubeObject> =>
    client.create(path, {
      metadata: { name },
      involvedObject,
      reason: "Tried",
      message: "m",
      type: "Normal",
    });
  for (let i = 0; i < 20; i++) await make(`e${i}`);
  assert.equal((await client.list(path)).items.length, 20);
  const leases = await leaseCount(world, members[0]!);
  assert.ok(leases >= 1 && leases <= 20, `${leases} leases`); // one for the events of each second
  const none = async (): Promise<boolean> => (await client.list(path)).items.length === 0;
  await eventually("the events are gone", none, { timeoutMs: 60_000, everyMs: 200 });
  const left = async (): Promise<boolean> => {
    const { stdout } = await world.ctl(
      members[0]!,
      "get",
      "/registry/events/events/",
      "--prefix",
      "--keys-only",
    );
    return stdout.trim() === "";
  };
  await eventually("their keys are gone from the store", left, { timeoutMs: 20_000, everyMs: 200 });
}

async function countsAndSize(context: Context): Promise<void> {
  const { client } = context.api;
  const path = (await namespace(context, "counts"))("configmaps");
  for (let i = 0; i < 25; i++) await client.create(path, configMap(`c${i}`));
  const real = (await client.list("/api/v1/configmaps")).items.length;
  const counts = async (): Promise<boolean> => {
    const text = await client.text("/metrics");
    const named = [
      metric(text, "apiserver_storage_objects", { resource: "configmaps" }),
      metric(text, "apiserver_resource_objects", { resource: "configmaps" }),
    ];
    return named.includes(real);
  };
  await eventually(`the metrics count ${real} ConfigMaps`, counts, { timeoutMs: 20_000, everyMs: 200 });
  const text = await client.text("/metrics");
  const size =
    metric(text, "apiserver_storage_size_bytes") + metric(text, "apiserver_storage_db_total_size_in_bytes");
  assert.ok(size > 10_000, `the store's size is ${size} bytes`);
}

async function compaction(context: Context): Promise<void> {
  const { api, world, members } = context;
  const { client } = api;
  const path = (await namespace(context, "compaction"))("configmaps");
  for (let i = 0; i < 30; i++) await client.create(path, configMap(`c${i}`));
  const first = await client.list(`${path}?limit=10`);
  const old = Number(first.metadata.resourceVersion);
  const compacted = async (): Promise<boolean> => {
    const { stdout } = await world.ctl(members[0]!, "get", "compact_rev_key", "--print-value-only");
    return Number(stdout.trim()) > old;
  };
  const writes = async (): Promise<boolean> => {
    await client.patch(`${path}/c0`, { data: { at: String(performance.now()) } });
    return await compacted();
  };
  await eventually("the store is compacted past the first page", writes, { timeoutMs: 40_000, everyMs: 300 });
  // The API server's own cache may know a little more than the store: give it until it has heard.
  const next = `${path}?limit=10&continue=${encodeURIComponent(first.metadata.continue ?? "")}`;
  const expired = async (): Promise<boolean> => (await client.ask("GET", next)).status === 410;
  await eventually("the next page is refused", expired, { timeoutMs: 20_000, everyMs: 200 });
  const error = await refused(client.list(next), 410, "Expired");
  const again = String(error.body?.metadata?.["continue"] ?? "");
  assert.notEqual(again, "", "the refusal has no token to go on with");
  const rest = await client.list(`${path}?limit=100&continue=${encodeURIComponent(again)}`);
  assert.equal(rest.items.length, 20);
  const exact = `${path}?resourceVersion=${old}&resourceVersionMatch=Exact`;
  await refused(client.list(exact), 410, "Expired");
  await assert.rejects(
    world.ctl(members[0]!, "get", "compact_rev_key", `--rev=${old}`),
    /required revision has been compacted/,
  );
}

async function noErrors(context: Context): Promise<void> {
  const text = await context.api.client.text("/metrics");
  assert.ok(metric(text, "etcd_requests_total") > 100, "the metrics know of no requests");
  const lines = text.split("\n").filter((line) => /^etcd_request_errors_total\{/.test(line));
  // Asking for what was compacted is an error that these checks wanted.
  const others = lines.filter((line) => !/operation="(list|get|listWithCount|getList)"/.test(line));
  assert.deepEqual(others, []);
}
