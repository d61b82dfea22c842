/** Endpoints one by one: those of the flags, or with --cluster those of all members. */
import type { Client, ClientOptions } from "../client/client.ts";
import { memberList } from "../client/methods/cluster.ts";
import type { CtlCall } from "./call.ts";
import { ExitCode, orExit } from "./exit.ts";

/** Members that have not said where they listen are left out. */
export async function endpointsOf(call: CtlCall, options: ClientOptions): Promise<readonly string[]> {
  if (!call.flags.bool("cluster")) return call.flags.strings("endpoints");
  const client = await call.connect(options);
  try {
    const { members } = await orExit(
      client.unary(memberList, { linearizable: true }, call.timeout),
      ExitCode.error,
      (message) => `failed to fetch endpoints from etcd cluster member list: ${message}`,
    );
    return members.flatMap(({ clientURLs }) => clientURLs);
  } finally {
    client.close();
  }
}

/** Runs `work` on each with a client of its own. */
export async function eachEndpoint(
  call: CtlCall,
  work: (client: Client, endpoint: string) => Promise<void>,
): Promise<void> {
  const options = await call.clientOptions();
  for (const endpoint of await endpointsOf(call, options)) {
    const client = await call.connect({ ...options, endpoints: [endpoint] });
    try {
      await work(client, endpoint);
    } finally {
      client.close();
    }
  }
}
