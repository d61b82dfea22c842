/** `check datascale`: how much memory a server takes for so many keys. */
import type { ConnectionOptions } from "node:tls";
import { put } from "../../client/methods/kv.ts";
import { progressBar } from "../../lib/progress-bar.ts";
import type { CtlCall } from "../call.ts";
import { QuietExit } from "../exit.ts";
import {
  deleteKeys,
  type LoadName,
  loadOf,
  openClients,
  randomKey,
  refuseKeys,
  tellErrors,
  tidy,
} from "../load/checks.ts";
import { LoadRecorder } from "../load/report.ts";

interface Load {
  readonly keys: number;
  readonly clients: number;
}

const loads: Readonly<Record<LoadName, Load>> = {
  s: { keys: 10_000, clients: 50 },
  m: { keys: 100_000, clients: 200 },
  l: { keys: 1_000_000, clients: 500 },
  xl: { keys: 3_000_000, clients: 1_000 },
};
const keyBytes = 512;
const value = Buffer.alloc(512);
const bytesEach = 1024;
const bytesPerMb = 1024 * 1024;

export async function checkDatascale(call: CtlCall): Promise<number> {
  const load = loads[loadOf(call)];
  const { io, flags } = call;
  const prefix = flags.string("prefix");
  const clients = await openClients(call, load.clients);
  const [first] = clients;
  await refuseKeys(first, prefix, "");
  const { endpoints, tls } = await call.clientOptions();
  const before = await residentBytes(call, endpoints[0]!, tls, "before");
  io.out(
    `Start data scale check for work load [${load.keys} key-value pairs, ${bytesEach} bytes per key-value, ${load.clients} concurrent clients].\n`,
  );
  const recorder = new LoadRecorder();
  const bar = progressBar(io, "check datascale");
  let begun = 0;
  await Promise.all(
    clients.map(async (client) => {
      while (begun < load.keys) {
        begun++;
        await recorder.measure(() => client.unary(put, { key: randomKey(prefix, keyBytes), value }));
        bar.at(begun, load.keys);
      }
    }),
  );
  bar.end();
  const after = await residentBytes(call, endpoints[0]!, tls, "after");
  await tidy(call, first, await deleteKeys(first, prefix));
  const { errors } = recorder.report();
  tellErrors(call, errors);
  if (errors.size > 0) return 1;
  io.out(`PASS: Approximate system memory used : ${((after - before) / bytesPerMb).toFixed(2)} MB.\n`);
  return 0;
}

const metric = "process_resident_memory_bytes";

async function residentBytes(
  { io }: CtlCall,
  endpoint: string,
  tls: ConnectionOptions | undefined,
  when: string,
): Promise<number> {
  const bytes = await readMetric(io.out, endpoint, tls);
  if (bytes > 0) return bytes;
  io.out(`FAIL: Could not read ${metric} ${when} the put operations.\n`);
  throw new QuietExit(1);
}

async function readMetric(
  out: (text: string) => void,
  endpoint: string,
  tls: ConnectionOptions | undefined,
): Promise<number> {
  const url = `${/^https?:\/\//.test(endpoint) ? endpoint : `http://${endpoint}`}/metrics`;
  let text: string;
  try {
    text = await fetchText(url, tls);
  } catch (error) {
    out(`fetch error: ${(error as Error).message}\n`);
    return 0;
  }
  const line = text.split("\n").find((one) => one.startsWith(metric));
  if (line === undefined) out(`could not find: ${metric}\n`);
  return Number(line?.slice(metric.length).trim() ?? 0);
}

async function fetchText(url: string, tls: ConnectionOptions | undefined): Promise<string> {
  const { get } = url.startsWith("https:") ? await import("node:https") : await import("node:http");
  return new Promise((resolve, reject) => {
    const request = get(url, { ...tls }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    });
    request.on("error", reject);
  });
}
