/** `endpoint health`: whether each endpoint can read through consensus, and has no alarm. */
import type { ClientOptions } from "../../client/client.ts";
import { range } from "../../client/methods/kv.ts";
import { alarm } from "../../client/methods/maintenance.ts";
import { errors } from "../../errors/table.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import type { CtlCall } from "../call.ts";
import { endpointsOf } from "../each-endpoint.ts";
import { Exit, ExitCode } from "../exit.ts";
import type { EndpointHealth } from "../print/results.ts";
import { alarmNames } from "../print/simple.ts";

export async function endpointHealth(call: CtlCall): Promise<undefined> {
  const options = await call.clientOptions();
  const endpoints = await endpointsOf(call, options);
  call.loggerName = "client";
  // In the order in which they answer, as etcdctl has it.
  const list: EndpointHealth[] = [];
  await Promise.all(
    endpoints.map(async (endpoint) => {
      list.push(await healthOf(call, { ...options, endpoints: [endpoint] }, endpoint));
    }),
  );
  if (call.format === "simple") tell(call, list);
  else await call.display("endpointHealth", list);
  if (list.some(({ error }) => error !== "")) throw new Exit(ExitCode.error, "unhealthy cluster");
}

function tell({ io }: CtlCall, list: readonly EndpointHealth[]): void {
  for (const { endpoint, took, error } of list) {
    if (error === "") {
      io.out(`${endpoint} is healthy: successfully committed proposal: took = ${took}\n`);
    } else io.err(`${endpoint} is unhealthy: failed to commit proposal: ${error}\n`);
  }
}

async function healthOf(call: CtlCall, options: ClientOptions, endpoint: string): Promise<EndpointHealth> {
  let client: Awaited<ReturnType<CtlCall["connect"]>>;
  try {
    client = await call.connect(options);
  } catch (error) {
    return { endpoint, health: false, took: "", error: (error as Error).message };
  }
  const started = performance.now();
  const { timeout } = call;
  const took = (): string => formatGoDuration(performance.now() - started);
  try {
    await client.unary(range, { key: Buffer.from("health") }, timeout);
  } catch (error) {
    const { message } = error as Error;
    // To be refused takes a healthy member.
    if (message !== errors.permissionDenied.text) {
      const result = { endpoint, health: false, took: took(), error: message };
      client.close();
      return result;
    }
  }
  const duration = took();
  const problem = await alarmsOf(client, timeout);
  client.close();
  return { endpoint, health: problem === "", took: duration, error: problem };
}

async function alarmsOf(
  client: Awaited<ReturnType<CtlCall["connect"]>>,
  timeout: CtlCall["timeout"],
): Promise<string> {
  try {
    const { alarms } = await client.unary(alarm, {}, timeout);
    if (alarms.length === 0) return "";
    const names = alarms.map(
      ({ alarm: kind }) => `${kind === 0 ? "UNKNOWN" : (alarmNames[kind as 1 | 2] ?? "UNKNOWN")} `,
    );
    return `Active Alarm(s): ${names.join("")}`;
  } catch {
    return "Unable to fetch the alarm list";
  }
}
