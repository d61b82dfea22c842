/** `top`: the members again and again: who leads, how far each is, how much is written. */
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "../../client/client.ts";
import type { StatusResponse } from "../../client/messages/maintenance.ts";
import { memberList } from "../../client/methods/cluster.ts";
import { status } from "../../client/methods/maintenance.ts";
import { humanBytes } from "../../lib/human-bytes.ts";
import { textTable } from "../../lib/text-table.ts";
import type { CtlCall } from "../call.ts";
import { orExit } from "../exit.ts";
import { untilSignal } from "../signals.ts";

interface Look {
  readonly atMs: number;
  readonly endpoint: string;
  readonly name: string;
  readonly status: StatusResponse | undefined;
  readonly problem: string;
  readonly tookMs: number;
}

const heads = [
  "member",
  "endpoint",
  "role",
  "term",
  "applied",
  "lag",
  "writes/s",
  "db size",
  "in use",
  "answer",
  "problems",
];
const clear = "\x1b[H\x1b[2J";

export async function top(call: CtlCall): Promise<undefined> {
  const { flags, io } = call;
  const options = await call.clientOptions();
  const client = await call.connect(options);
  const clients = new Map<string, Client>();
  const signal = untilSignal();
  const count = Number(flags.int("count"));
  let before: readonly Look[] = [];
  for (let looks = 0; !signal.aborted; ) {
    const { members } = await orExit(client.unary(memberList, {}, call.timeout));
    const now = await Promise.all(
      members.map(async ({ name, clientURLs: [endpoint = ""] }) => {
        if (endpoint !== "" && !clients.has(endpoint)) {
          clients.set(endpoint, await call.connect({ ...options, endpoints: [endpoint] }));
        }
        return lookAt(call, name, endpoint, clients.get(endpoint));
      }),
    );
    io.out(`${io.isTerminal ? clear : ""}${draw(now, before)}`);
    before = now;
    if (++looks === count) return;
    await delay(flags.durationMs("interval"), undefined, { signal }).catch(() => {});
  }
}

async function lookAt(
  call: CtlCall,
  name: string,
  endpoint: string,
  client: Client | undefined,
): Promise<Look> {
  const atMs = performance.now();
  const base = { atMs, name, endpoint };
  if (client === undefined) return { ...base, status: undefined, problem: "not started", tookMs: 0 };
  try {
    const answer = await client.unary(status, {}, call.timeout);
    return { ...base, status: answer, problem: answer.errors.join(", "), tookMs: performance.now() - atMs };
  } catch (error) {
    return { ...base, status: undefined, problem: (error as Error).message, tookMs: 0 };
  }
}

function draw(now: readonly Look[], before: readonly Look[]): string {
  const furthest = now.reduce(
    (most, { status: one }) => (one && one.raftIndex > most ? one.raftIndex : most),
    0n,
  );
  const rows = now.map((look) => {
    const { name, endpoint, problem, tookMs, status: one } = look;
    if (one === undefined) return [name, endpoint, "?", "", "", "", "", "", "", "", problem];
    const earlier = before.find((other) => other.endpoint === endpoint && other.status !== undefined);
    return [
      name,
      endpoint,
      one.isLearner ? "learner" : one.leader === one.header?.member_id ? "leader" : "follower",
      String(one.raftTerm),
      String(one.raftAppliedIndex),
      String(furthest - one.raftAppliedIndex),
      earlier === undefined ? "" : writesPerSecond(look, earlier),
      humanBytes(Number(one.dbSize)),
      humanBytes(Number(one.dbSizeInUse)),
      `${tookMs.toFixed(1)} ms`,
      problem,
    ];
  });
  return textTable(heads, rows, { align: "right" });
}

function writesPerSecond(look: Look, earlier: Look): string {
  const revisions = (look.status?.header?.revision ?? 0n) - (earlier.status?.header?.revision ?? 0n);
  return (Number(revisions) / ((look.atMs - earlier.atMs) / 1000)).toFixed(0);
}
