/** What authentication costs, and what a flood of logins with wrong passwords does to everybody else. */
import { mustExec } from "../test/support/exec.ts";
import { postJson } from "../test/support/http.ts";
import type { ServerProcess } from "../test/support/server-process.ts";
import { goProgram } from "../test/support/tools.ts";
import { type Context, inTurn, mebibytes, type Subject, sleep, withServer } from "./context.ts";
import { requestsPerSecond } from "./throughput.ts";

const load = { connections: 10, streams: 100 };
const requests = { puts: 60_000, ranges: 100_000 };
/** As many as a user of a shared cluster may have. */
const permissions = 10;
const floodSeconds = 8;

interface Percentiles {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

interface LoginsResult {
  readonly alone: Percentiles;
  readonly during: Percentiles;
  readonly wrong: number;
  readonly turnedAway: number;
  readonly right: Percentiles;
}

export async function auth(context: Context): Promise<void> {
  for (let round = 0; round < context.rounds; round++) {
    for (const subject of inTurn(context, round)) {
      await withServer(context, subject, async (server, folder) => {
        await cost(context, subject, server, folder);
        await flood(context, subject, server);
      });
    }
  }
}

/** The same requests by nobody in particular and then by a user, to the same server. */
async function cost(
  context: Context,
  subject: Subject,
  server: ServerProcess,
  folder: string,
): Promise<void> {
  const rates = async (token?: string) => {
    const rate = async (what: "puts" | "ranges") => {
      const count = Math.max(1_000, Math.round(requests[what] * context.scale));
      return requestsPerSecond[what](server, folder, count, load, { token });
    };
    return { puts: await rate("puts"), ranges: await rate("ranges") };
  };
  await rates();
  const open = await rates();
  const token = await turnOn(server);
  const secured = await rates(token);
  for (const what of ["puts", "ranges"] as const) {
    const add = (title: string, unit: string, value: number, digits = 0) =>
      context.results.add({ title, unit, digits }, subject.name, value);
    add(`${what} with auth, 10 x 100`, "1/s", secured[what]);
    add(`${what}, with auth to without`, "of the rate", secured[what] / open[what], 2);
  }
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** Makes root, and a user with a role, turns authentication on, and gives the user's token. */
async function turnOn({ clientPort }: ServerProcess): Promise<string> {
  const post = (path: string, body: unknown) => postJson<{ token: string }>(clientPort, path, body);
  for (const name of ["root", "user"]) {
    await post("/v3/auth/user/add", { name, password: `${name} password` });
    await post("/v3/auth/role/add", { name });
    await post("/v3/auth/user/grant", { user: name, role: name });
  }
  const prefixes = [
    "bench",
    "none",
    "paced",
    ...Array.from({ length: permissions - 3 }, (_, n) => `other${n}`),
  ];
  for (const prefix of prefixes) {
    const perm = { permType: "READWRITE", key: base64(prefix), range_end: base64(`${prefix}~`) };
    await post("/v3/auth/role/grant", { name: "user", perm });
  }
  await post("/v3/auth/enable", {});
  return (await post("/v3/auth/authenticate", { name: "user", password: "user password" })).token;
}

async function flood(context: Context, subject: Subject, server: ServerProcess): Promise<void> {
  const credentials = { name: "user", password: "user password" };
  const { token } = await postJson<{ token: string }>(
    server.clientPort,
    "/v3/auth/authenticate",
    credentials,
  );
  await sleep(1_000);
  const before = server.residentBytes();
  const { stdout } = await mustExec(
    await goProgram("bench/load"),
    [
      ["logins", "-endpoint", `127.0.0.1:${server.clientPort}`, "-token", token, "-victim", "root"],
      ["-user", credentials.name, "-password", credentials.password, "-during", `${floodSeconds}s`],
    ].flat(),
    { timeoutMs: 120_000 },
  );
  const result = JSON.parse(stdout) as LoginsResult;
  const add = (title: string, unit: string, value: number, digits = 1) =>
    context.results.add({ title, unit, digits }, subject.name, value);
  add("put at a steady pace, 99%", "ms", result.alone.p99Ms);
  add("the same under 1,000 wrong logins", "ms", result.during.p99Ms);
  add("the second to the first", "times", result.during.p99Ms / result.alone.p99Ms);
  add("right login meanwhile, median", "ms", result.right.p50Ms);
  add("wrong logins looked at", "1/s", result.wrong / floodSeconds);
  add("memory that the flood took", "MiB", mebibytes(server.residentBytes() - before), 0);
}
