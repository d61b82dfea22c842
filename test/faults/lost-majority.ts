/** Two of three members are lost for good: the third goes on with `--force-new-cluster`, keeps the data, and grows again. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { PutRequestSchema, PutResponseSchema } from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { callOnce, hashKv, memberList, status } from "../support/cluster/calls.ts";
import { grow } from "../support/cluster/grow.ts";
import { ProcessCluster } from "../support/cluster/process-cluster.ts";
import { eventually } from "../support/report.ts";
import { readAll } from "./read-all.ts";
import { bytesOf } from "./requests.ts";
import { Broken } from "./revisions.ts";

const keys = 300;

export async function lostMajority(program: string, folder: string): Promise<void> {
  const cluster = await ProcessCluster.start({ program, folder, size: 3 });
  try {
    for (let i = 0; i < keys; i++) await put(cluster.urls[i % 3]!, `k${i}`, `${i}`);
    const survivor = cluster.members[2]!;
    await eventually("the survivor has everything", async () => (await status(survivor.url)).revision > keys);
    await Promise.all(cluster.members.map((member) => member.kill()));
    for (const { name } of cluster.members.splice(0, 2)) rmSync(join(folder, name), { recursive: true });

    await cluster.startMember(survivor, "new", { "force-new-cluster": true });
    await cluster.ready();
    await holds(survivor.url, keys);
    const members = await memberList(survivor.url);
    if (members.length !== 1) throw new Broken(`it has ${members.length} members and should be alone`);
    await put(survivor.url, "alone", "1");

    // The next start is an ordinary one.
    await survivor.kill();
    await cluster.startMember(survivor);
    await cluster.ready();
    await grow(cluster);
    await grow(cluster);
    await put(cluster.members[1]!.url, "grown", "1");
    for (const { url } of cluster.members) await holds(url, keys + 2);
    const { revision } = await status(survivor.url);
    const hashes = await Promise.all(cluster.urls.map((url) => hashKv(url, revision)));
    if (new Set(hashes).size > 1) throw new Broken(`HashKV differs: ${hashes.join(", ")}`);
  } finally {
    await cluster.close();
  }
}

async function put(url: string, key: string, value: string): Promise<void> {
  const types = { input: PutRequestSchema, output: PutResponseSchema };
  await callOnce(url, "KV/Put", types, { key: bytesOf(key), value: bytesOf(value) });
}

async function holds(url: string, count: number): Promise<void> {
  const { rows } = await readAll(url, 0);
  if (rows.length !== count) throw new Broken(`${url} holds ${rows.length} keys of ${count}`);
  const wrong = rows.find(({ key, value }) => key.startsWith("k") && key !== `k${value}`);
  if (wrong) throw new Broken(`${url} holds ${wrong.key}=${wrong.value}`);
}
