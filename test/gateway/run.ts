/**
 * `npm run gateway`: asks the JSON gateways of etclite and of etcd the same, and compares what they answer: status,
 * content type and body. What differs between any two clusters (ids, ports, sizes) is left out, as are blanks between
 * tokens, which etcd puts in or not as its executable's hash falls.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Random, seedFrom } from "../support/random.ts";
import { commonHelp, commonOptions, scratchFolder, serverProgram } from "../support/scratch.ts";
import { ServerProcess } from "../support/server-process.ts";
import { tool } from "../support/tools.ts";
import { type Case, cases, laterCases } from "./cases.ts";
import { randomCases } from "./random-cases.ts";

const { values } = parseArgs({
  options: {
    ...commonOptions,
    help: { type: "boolean", short: "h", default: false },
    etcd: { type: "string" },
    seed: { type: "string" },
    random: { type: "string", default: "2000" },
  },
});
if (values.help) {
  console.log(`usage: npm run gateway -- [options]\n${commonHelp}
  --etcd PATH     the etcd to compare with (default: built from test/tools/etcd)
  --random N      so many random requests more (default: 2000)
  --seed N        of the random requests`);
  process.exit(0);
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function ask(server: ServerProcess, one: Case): Promise<Answer> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 10_000);
  const method = one.method ?? "POST";
  const response = await fetch(server.url + one.path, {
    method,
    headers: { "Content-Type": "application/json", ...one.headers },
    ...(method === "GET" ? {} : { body: one.body }),
    signal: controller.signal,
  });
  let body = "";
  if (one.lines === undefined) body = await response.text();
  else {
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) {
      body += decoder.decode(chunk as Uint8Array, { stream: true });
      if (body.split("\n").length > one.lines) break;
    }
    controller.abort();
  }
  clearTimeout(timer);
  if (one.anyOrder) body = body.split("\n").sort().join("\n");
  return { status: response.status, type: response.headers.get("content-type") ?? "", body };
}

/** What any two clusters differ in is taken out. */
export function normalized({ status, type, body }: Answer, server: ServerProcess): string {
  const plain = body
    .replaceAll("\u00a0", " ")
    .replaceAll(/("(?:[^"\\]|\\.)*")|[ ]+/g, (whole, text?: string) => text ?? (whole === "" ? "" : ""))
    .replaceAll(/"(cluster_id|member_id|leader|ID|memberID)":"\d{17,20}"/g, '"$1":"id"')
    .replaceAll(/"(raft_term|raftTerm)":"\d+"/g, '"$1":"term"')
    .replaceAll(String(server.clientPort), "PORT")
    .replaceAll(String(server.peerPort), "PEERPORT");
  return `${status} ${type} ${plain}`;
}

const folder = scratchFolder("gateway", values);
const seed = seedFrom(values.seed);
const ours = await ServerProcess.ready({
  program: serverProgram(values.server),
  folder: join(folder, "ours"),
});
const theirs = await ServerProcess.ready({
  program: values.etcd ?? (await tool("etcd")),
  folder: join(folder, "theirs"),
});
let different = 0;
let asked = 0;
const random = randomCases(new Random(seed), Number(values.random));
for (const one of [...cases, ...random, ...laterCases]) {
  const [mine, real] = (await Promise.all(
    [ours, theirs].map(async (server) =>
      ask(server, one).then(
        (answer) => normalized(answer, server),
        (error: unknown) => `no answer: ${error}`,
      ),
    ),
  )) as [string, string];
  asked++;
  if (mine === real) continue;
  different++;
  console.log(`${one.method ?? "POST"} ${one.path} ${one.body.slice(0, 300)}`);
  console.log(`  etcd:    ${real.slice(0, 600)}`);
  console.log(`  etclite: ${mine.slice(0, 600)}`);
}
await Promise.all([ours.stop(), theirs.stop()]);
console.log(`${asked} requests, ${different} answered differently (seed ${seed})`);
process.exitCode = different === 0 ? 0 : 1;
