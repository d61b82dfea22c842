/** Puts a second of three members, through all of their endpoints at once. */
import { create, toBinary } from "@bufbuild/protobuf";
import { PutRequestSchema } from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { status } from "../../test/support/cluster/calls.ts";
import type { ProcessCluster } from "../../test/support/cluster/process-cluster.ts";
import { type Context, inTurn, type Subject } from "../context.ts";
import { h2loadFor } from "../h2load.ts";
import { sameEverywhere } from "./catchup.ts";
import { withCluster } from "./with-cluster.ts";

const shapes = [
  { connections: 1, streams: 1 },
  { connections: 1, streams: 100 },
  { connections: 10, streams: 100 },
  { connections: 100, streams: 10 },
] as const;

const key = new TextEncoder().encode("bench-key-of-thirty-bytes-0000");
const value = new Uint8Array(256).fill(120);
const message = toBinary(PutRequestSchema, create(PutRequestSchema, { key, value }));

export async function clusterThroughput(context: Context): Promise<void> {
  for (let round = 0; round < context.rounds; round++) {
    for (const subject of inTurn(context, round)) {
      await withCluster(context, subject, 3, async (cluster, folder) => {
        await cluster.aLeader();
        for (const shape of shapes) await run(context, subject, cluster, folder, shape);
        await sameEverywhere(cluster);
      });
    }
  }
}

async function run(
  context: Context,
  subject: Subject,
  cluster: ProcessCluster,
  folder: string,
  { connections, streams }: (typeof shapes)[number],
): Promise<void> {
  const { urls } = cluster;
  const seconds = Math.max(1, Math.round(4 * context.scale));
  const before = (await status(urls[0]!)).revision;
  // A single connection goes to one member after the other.
  const perSecond =
    connections < urls.length
      ? mean(await inOrder(urls.map((url) => () => load(url, connections))))
      : sum(await Promise.all(urls.map((url, i) => load(url, share(connections, urls.length, i)))));
  const made = (await status(urls[0]!)).revision - before;
  const runs = connections < urls.length ? urls.length : 1;
  // What was under way at the end of the time may have been made without being counted.
  const least = perSecond * seconds * runs;
  if (made < least * 0.9) throw new Error(`${Math.round(least)} puts made ${made} revisions`);
  const title = `puts of three members, ${connections} x ${streams}`;
  const goal = connections === 10 ? { goal: { ratioMin: 1.3 } } : {};
  context.results.add({ title, unit: "1/s", ...goal }, subject.name, perSecond);

  async function load(url: string, clients: number): Promise<number> {
    const path = "/etcdserverpb.KV/Put";
    const options = { url, path, message, connections: clients, streams, folder, seconds };
    return (await h2loadFor(options)).perSecond;
  }
}

async function inOrder<T>(calls: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  for (const call of calls) results.push(await call());
  return results;
}

const share = (total: number, parts: number, part: number): number =>
  Math.floor(total / parts) + (part < total % parts ? 1 : 0);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
const mean = (numbers: readonly number[]): number => sum(numbers) / numbers.length;
