/** Puts and linearizable ranges a second, by number of connections and of requests under way on each. */
import { create, toBinary } from "@bufbuild/protobuf";
import { PutRequestSchema, RangeRequestSchema } from "../src/gen/etcdserverpb/rpc_pb.ts";
import { postJson } from "../test/support/http.ts";
import type { ServerProcess } from "../test/support/server-process.ts";
import { type Context, inTurn, type Subject, withServer } from "./context.ts";
import { h2load } from "./h2load.ts";
import type { Metric } from "./results.ts";

interface Shape {
  readonly connections: number;
  readonly streams: number;
  /** Requests of a run: some seconds of etcd's time. */
  readonly puts: number;
  readonly ranges: number;
}

const shapes: readonly Shape[] = [
  { connections: 1, streams: 1, puts: 6_000, ranges: 20_000 },
  { connections: 1, streams: 100, puts: 80_000, ranges: 150_000 },
  { connections: 10, streams: 100, puts: 120_000, ranges: 200_000 },
  { connections: 100, streams: 10, puts: 120_000, ranges: 200_000 },
];

const key = new TextEncoder().encode("bench-key-of-thirty-bytes-0000");
const value = new Uint8Array(256).fill(120);
const putMessage = toBinary(PutRequestSchema, create(PutRequestSchema, { key, value }));
const rangeMessage = toBinary(RangeRequestSchema, create(RangeRequestSchema, { key }));

/** Puts and ranges as they are counted everywhere. `url` is the server's, plain, if not given. */
export const requestsPerSecond = { puts: put, ranges: range };

export async function throughput(context: Context, what: "puts" | "ranges"): Promise<void> {
  for (let round = 0; round < context.rounds; round++) {
    for (const subject of inTurn(context, round)) {
      await withServer(context, subject, async (server, folder) => {
        await put(server, folder, 200, { connections: 1, streams: 1 });
        for (const shape of shapes) await run(context, subject, server, folder, what, shape);
      });
    }
  }
}

async function run(
  context: Context,
  subject: Subject,
  server: ServerProcess,
  folder: string,
  what: "puts" | "ranges",
  shape: Shape,
): Promise<void> {
  const requests = Math.max(shape.connections * shape.streams, Math.round(shape[what] * context.scale));
  const perSecond = await (what === "puts" ? put : range)(server, folder, requests, shape);
  context.results.add(metricOf(what, shape), subject.name, perSecond);
}

function metricOf(what: "puts" | "ranges", { connections, streams }: Shape): Metric {
  const title = `${what}, ${connections} x ${streams}`;
  const isGoal = connections === 10 && streams === 100;
  return isGoal ? { title, unit: "1/s", goal: { ratioMin: 2.5 } } : { title, unit: "1/s" };
}

type Load = Pick<Shape, "connections" | "streams">;

/** Where requests go to, and in whose name. */
interface To {
  readonly url?: string;
  readonly token?: string | undefined;
}

const headersOf = (token: string | undefined) => (token === undefined ? [] : [`token:${token}`]);

/** Puts a second. Each put of a run must have made its own revision. */
async function put(
  server: ServerProcess,
  folder: string,
  requests: number,
  load: Load,
  { url = server.url, token }: To = {},
): Promise<number> {
  const before = await revision(server, token);
  const path = "/etcdserverpb.KV/Put";
  const headers = headersOf(token);
  const result = await h2load({ url, path, message: putMessage, requests, ...load, folder, headers });
  const made = (await revision(server, token)) - before;
  if (made !== requests) throw new Error(`${requests} puts made ${made} revisions`);
  return result.perSecond;
}

/** Ranges of one key a second. Each answer must have been long enough to hold the value. */
async function range(
  server: ServerProcess,
  folder: string,
  requests: number,
  load: Load,
  { url = server.url, token }: To = {},
): Promise<number> {
  const path = "/etcdserverpb.KV/Range";
  const headers = headersOf(token);
  const result = await h2load({ url, path, message: rangeMessage, requests, ...load, folder, headers });
  const least = requests * (value.length + key.length);
  if (result.dataBytes < least) {
    throw new Error(
      `${requests} answers had ${result.dataBytes} bytes, fewer than ${least}: some were errors`,
    );
  }
  return result.perSecond;
}

async function revision(server: ServerProcess, token: string | undefined): Promise<number> {
  const request = { key: Buffer.from("none").toString("base64") };
  const headers = token === undefined ? [] : [`Authorization: ${token}`];
  const answer = await postJson<{ header: { revision: string } }>(
    server.clientPort,
    "/v3/kv/range",
    request,
    headers,
  );
  return Number(answer.header.revision);
}
