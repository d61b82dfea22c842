/** Three members, and the disk of the one that leads stalls: the others go on, and so do the leases of their clients. */
import { join } from "node:path";
import { ProcessCluster } from "../support/cluster/process-cluster.ts";
import { eventually } from "../support/report.ts";
import { Api } from "./api.ts";
import { DiskStall, filesOf } from "./disk-stall.ts";
import { type KillOptions, sleep } from "./kill-trials.ts";
import { WrongData } from "./model.ts";

const leaseId = 77n;
const ttlSeconds = 5;
const writers = 12;

export async function leaderStalls(
  options: Pick<KillOptions, "program" | "folder">,
  ms: number,
): Promise<void> {
  const folder = join(options.folder, "three");
  const cluster = await ProcessCluster.start({ program: options.program, folder, size: 3 });
  try {
    const leader = await cluster.aLeader();
    const others = cluster.members.filter((member) => member !== leader);
    const apis = others.map(({ url }) => new Api(url));
    const one = apis[0] as Api;
    await one.grant(leaseId, ttlSeconds);
    await one.change([{ key: "leased", value: "yes", lease: leaseId }]);
    const { pid, dataFolder } = leader.server!;
    const stopping = { now: false };
    const written = new Map<string, string>();
    const load = [renewals(one, stopping), ...Array.from({ length: writers }, (_, i) => write(i))];
    const all = Promise.all(load);
    all.catch(() => undefined); // awaited below
    const traceFile = join(options.folder, "strace");
    const stall = await DiskStall.begin({ pid, files: filesOf(dataFolder, ["log"]), traceFile });
    await sleep(ms);
    const now = await cluster.leader();
    await stall.end();
    stopping.now = true;
    await all;
    if (now === undefined || now === leader) throw new Error(`${now?.name ?? "nobody"} leads after ${ms} ms`);
    for (const { url } of cluster.members) await has(url, written);
    for (const api of apis) api.close();

    async function write(index: number): Promise<void> {
      const api = apis[index % apis.length] as Api;
      for (let count = 0; !stopping.now; count++) {
        const [key, value] = [`key${index}`, `${count}`];
        await api.change([{ key, value, lease: 0n }]);
        written.set(key, value);
      }
    }
  } finally {
    await cluster.close();
  }
}

/** The owner of a lease renews it each second, and is never told that it is gone. */
async function renewals(api: Api, stopping: { now: boolean }): Promise<void> {
  while (!stopping.now) {
    if ((await api.keepAlive(leaseId)) <= 0)
      throw new WrongData("a lease ended that was renewed all the time");
    await sleep(1_000);
  }
}

/** What was acknowledged is there, also at the one that has to catch up. */
async function has(url: string, written: ReadonlyMap<string, string>): Promise<void> {
  const api = new Api(url);
  try {
    await eventually(
      `${url} answers`,
      () =>
        api.revision().then(
          () => true,
          () => false,
        ),
      { timeoutMs: 20_000, everyMs: 200 },
    );
    if ((await api.get("leased")) === undefined)
      throw new WrongData("the key of a lease is gone that was renewed");
    for (const [key, value] of written) {
      const row = await api.get(key);
      if (row?.value !== value)
        throw new WrongData(`${key} is ${row?.value} at ${url}, and ${value} was acknowledged`);
    }
  } finally {
    api.close();
  }
}
