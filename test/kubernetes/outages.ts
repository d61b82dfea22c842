/** The store goes away and comes back under a running API server; the leader of three dies; the API server is another. */
import assert from "node:assert/strict";
import { eventually, type Report } from "../support/report.ts";
import { type Context, configMap, namespace } from "./objects.ts";
import { type Member, stopStore, type World } from "./world.ts";

export async function restartChecks(context: Context): Promise<void> {
  await context.report.check(
    "the store is killed and started again: watches go on, and nothing is lost",
    () => killedAndBack(context),
    180_000,
  );
}

async function killedAndBack(context: Context): Promise<void> {
  const { world, members, api } = context;
  const { client } = api;
  const [member] = members as [Member];
  const path = (await namespace(context, "restart"))("configmaps");
  await client.create(path, configMap("before"));
  const { resourceVersion } = (await client.list(path)).metadata;
  const watch = client.watch(path, { resourceVersion });
  for (let i = 0; i < 20; i++) await client.create(path, configMap(`a${i}`));
  await member.server.kill();
  const down = async (): Promise<boolean> => (await client.ask("GET", "/readyz")).status !== 200;
  await eventually("the API server says that it is not ready", down, { timeoutMs: 60_000, everyMs: 200 });
  await world.restart(member, members);
  const up = async (): Promise<boolean> => (await client.ask("GET", "/readyz")).status === 200;
  await eventually("the API server is ready again", up, { timeoutMs: 60_000, everyMs: 200 });
  for (let i = 0; i < 20; i++) await client.create(path, configMap(`b${i}`));
  await watch.until("the last is told of", ({ object }) => object.metadata.name === "b19");
  const names = [...Array(20).keys()];
  assert.deepEqual(watch.changes(), [...names.map((i) => `ADDED a${i}`), ...names.map((i) => `ADDED b${i}`)]);
  watch.close();
  assert.equal((await client.list(path)).items.length, 41);
  assert.equal(api.process.exit, undefined);
}

/** Writes one object after another until told to stop; remembers which were acknowledged and how long each took. */
class Writer {
  readonly acknowledged: string[] = [];
  readonly refused: string[] = [];
  longestMs = 0;
  #going = true;
  readonly #done: Promise<void>;

  constructor(context: Pick<Context, "api">, path: string) {
    this.#done = this.#write(context.api.client, path);
  }

  async #write(client: Context["api"]["client"], path: string): Promise<void> {
    let last = performance.now();
    for (let i = 0; this.#going; i++) {
      const answer = await client
        .ask("POST", path, configMap(`w${i}`))
        .catch((error) => ({ status: 0, text: `${error}` }));
      if (answer.status !== 201) {
        this.refused.push(`w${i}: ${answer.status} ${answer.text.slice(0, 200)}`);
        continue;
      }
      this.longestMs = Math.max(this.longestMs, performance.now() - last);
      last = performance.now();
      this.acknowledged.push(`w${i}`);
    }
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#done;
  }
}

export async function clusterChecks(world: World, report: Report): Promise<void> {
  const members = await world.startStore(3);
  const api = await world.startApi(members);
  const context = { world, members, api, report };
  let round = 0;
  for (const how of ["SIGKILL", "SIGTERM"] as const) {
    const name = how === "SIGKILL" ? "killed" : "stopped";
    await report.check(
      `the leader of three is ${name} under writes, and comes back`,
      () => leaderEnds(context, how, ++round),
      240_000,
    );
  }
  await report.check("a second API server sees what the first one wrote", () => secondApi(context), 240_000);
  await api.stop();
  await stopStore(members);
}

async function leaderEnds(context: Context, how: "SIGKILL" | "SIGTERM", round: number): Promise<void> {
  const { world, members, api } = context;
  const { client } = api;
  const path = (await namespace(context, `leader-${round}`))("configmaps");
  const { resourceVersion } = (await client.list(path)).metadata;
  const watch = client.watch(path, { resourceVersion });
  const writer = new Writer(context, path);
  const written = (count: number) => (): boolean => writer.acknowledged.length >= count;
  await eventually("writes go on", written(50), { timeoutMs: 60_000 });
  const leader = await leaderOf(world, members);
  leader.server.signal(how);
  await leader.server.exited;
  const soFar = writer.acknowledged.length;
  await eventually("writes go on without it", written(soFar + 50), { timeoutMs: 90_000 });
  await world.restart(leader, members);
  await eventually("writes go on with it", written(writer.acknowledged.length + 50), { timeoutMs: 60_000 });
  await writer.stop();
  const there = new Set((await client.list(path)).items.map(({ metadata }) => metadata.name));
  const lost = writer.acknowledged.filter((name) => !there.has(name));
  assert.deepEqual(lost, [], "acknowledged and not there");
  const last = writer.acknowledged.at(-1);
  await watch.until("the watch has them all", ({ object }) => object.metadata.name === last);
  const told = watch.changes();
  watch.close();
  assert.equal(new Set(told).size, told.length, "told twice");
  const untold = writer.acknowledged.filter((name) => !told.includes(`ADDED ${name}`));
  assert.deepEqual(untold, [], "acknowledged and not told");
  assert.ok(writer.longestMs < 30_000, `no write for ${writer.longestMs} ms`);
  const pause = `${Math.round(writer.longestMs)} ms without a write at most`;
  console.log(`${pause}, ${writer.acknowledged.length} acknowledged, ${writer.refused.length} refused`);
  for (const refusal of writer.refused) console.log(refusal);
}

export async function leaderOf(world: World, members: readonly Member[]): Promise<Member> {
  let leader: Member | undefined;
  const stands = async (): Promise<boolean> => {
    for (const member of members) {
      const { stdout } = await world.ctl(member, "endpoint", "status", "-w=json");
      const { Status: status } = JSON.parse(stdout)[0];
      if (status.leader !== 0 && status.leader === status.header.member_id) leader = member;
    }
    return leader !== undefined;
  };
  await eventually("one of the members leads", stands, { timeoutMs: 30_000, everyMs: 200 });
  return leader as Member;
}

async function secondApi(context: Context): Promise<void> {
  const { world, members, api } = context;
  const path = (await namespace(context, "second"))("configmaps");
  const other = await world.startApi(members);
  try {
    const watch = other.client.watch(path, {
      resourceVersion: (await other.client.list(path)).metadata.resourceVersion,
    });
    for (let i = 0; i < 50; i++) {
      await api.client.create(path, configMap(`c${i}`));
      const { items } = await other.client.list(path); // a list without a resource version is linearizable
      assert.equal(items.length, i + 1);
    }
    await watch.until("the other tells of the last", ({ object }) => object.metadata.name === "c49");
    assert.equal(watch.changes().length, 50);
    watch.close();
  } finally {
    await other.stop();
  }
}
