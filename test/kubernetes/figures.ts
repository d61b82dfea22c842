/** The API server on etcd and on the program under test, in turns: the same work, and the least that it took. */
import { printTable } from "../support/table.ts";
import type { KubeClient } from "./kube-client.ts";
import { metric } from "./metrics.ts";
import { configMap } from "./objects.ts";
import { stopStore, type World } from "./world.ts";

const objects = 2_000;
const atOnce = 20;

/** By what was measured, in the order of the table. */
type Figures = Map<string, number>;

export async function compareFigures(
  worlds: Readonly<Record<"etcd" | "etclite", World>>,
  rounds: number,
): Promise<void> {
  const best = { etcd: new Map<string, number>(), etclite: new Map<string, number>() };
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? (["etcd", "etclite"] as const) : (["etclite", "etcd"] as const);
    for (const subject of order) {
      const figures = await measure(worlds[subject]);
      for (const [what, value] of figures)
        best[subject].set(what, Math.min(value, best[subject].get(what) ?? value));
    }
  }
  const rows = [...best.etcd].map(([what, theirs]) => {
    const ours = best.etclite.get(what) ?? Number.NaN;
    return [what, theirs.toFixed(1), ours.toFixed(1), (ours / theirs).toFixed(2)];
  });
  printTable(["what", "etcd", "etclite", "etclite / etcd"], rows);
}

async function measure(world: World): Promise<Figures> {
  const figures: Figures = new Map();
  const members = await world.startStore();
  const started = performance.now();
  const api = await world.startApi(members, ["--disable-admission-plugins=ServiceAccount"]);
  figures.set("start of the API server on an empty store, s", (performance.now() - started) / 1_000);
  const { client } = api;
  await client.create("/api/v1/namespaces", { metadata: { name: "figures" } });
  const timed = async (what: string, body: () => Promise<unknown>): Promise<void> => {
    const started = performance.now();
    await body();
    figures.set(what, performance.now() - started);
  };
  const [maps, pods] = ["configmaps", "pods"].map((name) => `/api/v1/namespaces/figures/${name}`) as [
    string,
    string,
  ];
  const text = "x".repeat(1_000);
  await timed(`${objects} ConfigMaps of 1 kB, ${atOnce} at once, ms`, () =>
    inParallel((i) => client.create(maps, configMap(`c${i}`, { text }))),
  );
  await timed(`${objects} Pods, ${atOnce} at once, ms`, () =>
    inParallel((i) => client.create(pods, pod(`p${i}`))),
  );
  await timed(`${objects} patches, ${atOnce} at once, ms`, () =>
    inParallel((i) => client.patch(`${maps}/c${i}`, { data: { more: "1" } })),
  );
  await timed("100 ConfigMaps one after another, ms", async () => {
    for (let i = 0; i < 100; i++) await client.create(maps, configMap(`s${i}`));
  });
  await timed("a list of all Pods in one answer, ms", () => client.list(pods));
  await timed("a list of all Pods, 100 a page, ms", () => client.pages(pods, 100));
  await requestTimes(client, figures);
  figures.set("memory of the store afterwards, MiB", members[0]!.server.residentBytes() / 2 ** 20);
  figures.set("processor time of the store, s", members[0]!.server.cpuSeconds());
  await api.stop();
  const again = performance.now();
  const second = await world.startApi(members, [
    "--disable-admission-plugins=ServiceAccount",
    "--watch-cache=false",
  ]);
  figures.set("start of the API server on that store, s", (performance.now() - again) / 1_000);
  await timed("without a watch cache: a list of all Pods, ms", () => second.client.list(pods));
  await timed("without a watch cache: 100 a page, ms", () => second.client.pages(pods, 100));
  await second.stop();
  await stopStore(members);
  return figures;
}

/** What the API server says about its requests to the store. */
async function requestTimes(client: KubeClient, figures: Figures): Promise<void> {
  const text = await client.text("/metrics");
  for (const operation of ["create", "update", "get"]) {
    const of = (part: string): number => metric(text, `etcd_request_duration_seconds_${part}`, { operation });
    figures.set(`the API server's mean wait for a ${operation}, ms`, (of("sum") / of("count")) * 1_000);
  }
}

async function inParallel(body: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < objects) await body(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

const pod = (name: string): unknown => ({
  metadata: { name, labels: { app: "figures" } },
  spec: {
    containers: [{ name: "main", image: "registry.example/main:1", env: [{ name: "A", value: "b" }] }],
  },
});
