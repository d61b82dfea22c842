/**
 * A control plane without machines: the controller manager and the scheduler beside the API server, and a node that is
 * only an object. So Pods are made, placed and deleted, and nothing runs them.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { freePort } from "../support/ports.ts";
import { eventually, type Report } from "../support/report.ts";
import { makeKubeconfig } from "./certificates.ts";
import { Daemon } from "./daemon.ts";
import { type Context, configMap, namespace } from "./objects.ts";
import { type ApiServer, stopStore, type World } from "./world.ts";

const slow = { timeoutMs: 90_000, everyMs: 200 };

export async function controllerChecks(world: World, report: Report): Promise<void> {
  const members = await world.startStore();
  const api = await world.startApi(members);
  const context: Context = { world, members, api, report };
  const controllers = await startControllers(world, api);
  const scheduler = await startScheduler(world, api);
  await report.check(
    "the controller manager and the scheduler take their leases",
    () => leaders(context),
    120_000,
  );
  await report.check(
    "a namespace gets a service account and the authority",
    () => defaults(context),
    120_000,
  );
  await report.check(
    "a Deployment makes a ReplicaSet and Pods, and the scheduler places them",
    () => deployment(context),
    240_000,
  );
  await report.check(
    "what a Deployment made goes with it (garbage collection)",
    () => collected(context),
    120_000,
  );
  await report.check("a deleted namespace takes everything with it", () => namespaceGoes(context), 180_000);
  await report.check("both still run", () => {
    assert.deepEqual(
      [controllers.exit, scheduler.exit],
      [undefined, undefined],
      controllers.logTail() + scheduler.logTail(),
    );
  });
  await Promise.all([controllers.stop(), scheduler.stop()]);
  await api.stop();
  await stopStore(members);
}

async function startControllers(world: World, api: ApiServer): Promise<Daemon> {
  const { path } = world.files;
  const config = makeKubeconfig(world.files, "controllers", api.url);
  const flags = [
    `--kubeconfig=${config}`,
    `--secure-port=${await freePort()}`,
    "--bind-address=127.0.0.1",
    `--root-ca-file=${path("ca.crt")}`,
    `--service-account-private-key-file=${path("sa.key")}`,
    "--use-service-account-credentials=true",
  ];
  return new Daemon(world.programs.controllers, flags, join(world.newFolder("controllers"), "log"));
}

async function startScheduler(world: World, api: ApiServer): Promise<Daemon> {
  const config = makeKubeconfig(world.files, "scheduler", api.url);
  const flags = [`--kubeconfig=${config}`, `--secure-port=${await freePort()}`, "--bind-address=127.0.0.1"];
  return new Daemon(world.programs.scheduler, flags, join(world.newFolder("scheduler"), "log"));
}

async function leaders({ api }: Context): Promise<void> {
  for (const name of ["kube-controller-manager", "kube-scheduler"]) {
    const path = `/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/${name}`;
    await eventually(`${name} leads`, async () => (await api.client.ask("GET", path)).status === 200, slow);
  }
}

async function defaults({ api }: Context): Promise<void> {
  for (const path of ["serviceaccounts/default", "configmaps/kube-root-ca.crt"]) {
    const there = async (): Promise<boolean> =>
      (await api.client.ask("GET", `/api/v1/namespaces/default/${path}`)).status === 200;
    await eventually(`${path} is there`, there, slow);
  }
}

const deployments = "/apis/apps/v1/namespaces/default/deployments";
const pods = "/api/v1/namespaces/default/pods";

function webDeployment(replicas: number): unknown {
  const labels = { app: "web" };
  const containers = [{ name: "web", image: "registry.example/web:1" }];
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    },
  };
}

async function addNode({ client }: ApiServer): Promise<void> {
  await client.create("/api/v1/nodes", { metadata: { name: "paper" } });
  const resources = { cpu: "64", memory: "256Gi", pods: "500" };
  const now = new Date().toISOString();
  const ready = {
    type: "Ready",
    status: "True",
    reason: "Said",
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
  await client.patch("/api/v1/nodes/paper/status", {
    status: { capacity: resources, allocatable: resources, conditions: [ready] },
  });
}

async function deployment({ api, world }: Context): Promise<void> {
  const { client } = api;
  await addNode(api);
  const watch = client.watch(pods, { resourceVersion: (await client.list(pods)).metadata.resourceVersion });
  await client.create(deployments, webDeployment(30));
  const placed = async (): Promise<number> =>
    (await client.list(pods)).items.filter((pod) => pod["spec"].nodeName === "paper").length;
  await eventually("thirty Pods are placed", async () => (await placed()) === 30, slow);
  const counted = async (): Promise<boolean> => {
    const { items } = await client.list("/apis/apps/v1/namespaces/default/replicasets");
    return items.length === 1 && items[0]!["status"].replicas === 30;
  };
  await eventually("one ReplicaSet counts them", counted, slow);
  await client.patch(`${deployments}/web/scale`, { spec: { replicas: 5 } });
  // Nobody runs them, so their deletion waits for a node to say that they ended: it is taken as said.
  const leaving = async (): Promise<boolean> => {
    const { items } = await client.list(pods);
    for (const { metadata } of items.filter((pod) => pod.metadata["deletionTimestamp"]))
      await endPod(api, metadata.name);
    return items.length === 5;
  };
  await eventually("five Pods are left", leaving, slow);
  const told = (type: string): number =>
    new Set(watch.events.filter((e) => e.type === type).map((e) => e.object.metadata.uid)).size;
  await eventually("a watch was told of it all", () => told("DELETED") === 25, slow);
  assert.equal(told("ADDED"), 30);
  watch.close();
  const shown = async (): Promise<boolean> => {
    const args = ["get", "deployment", "web", "-o", "jsonpath={.status.replicas}"];
    return (await world.kubectl(api, ...args)).stdout === "5";
  };
  await eventually("kubectl shows five", shown, slow);
}

function endPod({ client }: ApiServer, name: string): Promise<unknown> {
  return client.ask("DELETE", `${pods}/${name}`, { gracePeriodSeconds: 0 });
}

async function collected({ api }: Context): Promise<void> {
  const { client } = api;
  await client.delete(`${deployments}/web`, { propagationPolicy: "Foreground" });
  const none = async (): Promise<boolean> => {
    const { items } = await client.list(pods);
    for (const { metadata } of items.filter((pod) => pod.metadata["deletionTimestamp"]))
      await endPod(api, metadata.name);
    const left = [
      items.length,
      (await client.list("/apis/apps/v1/namespaces/default/replicasets")).items.length,
    ];
    return left.every((count) => count === 0);
  };
  await eventually("ReplicaSets and Pods are gone", none, slow);
  await eventually(
    "the Deployment is gone",
    async () => (await client.ask("GET", `${deployments}/web`)).status === 404,
    slow,
  );
}

async function namespaceGoes(context: Context): Promise<void> {
  const { client } = context.api;
  const inNamespace = await namespace(context, "goes");
  for (let i = 0; i < 50; i++) {
    await client.create(inNamespace("configmaps"), configMap(`c${i}`));
    await client.create(inNamespace("secrets"), { metadata: { name: `s${i}` } });
  }
  await client.delete("/api/v1/namespaces/goes");
  const gone = async (): Promise<boolean> =>
    (await client.ask("GET", "/api/v1/namespaces/goes")).status === 404;
  await eventually("the namespace is gone", gone, { timeoutMs: 150_000, everyMs: 200 });
  const keys = await context.world.ctl(context.members[0]!, "get", "/registry/", "--prefix", "--keys-only");
  const left = keys.stdout
    .split("\n")
    .filter((key: string) => /^\/registry\/(configmaps|secrets|serviceaccounts)\/goes\//.test(key));
  assert.deepEqual(left, []);
}
