/** `endpoint hashkv`. */
import { hashKV } from "../../client/methods/maintenance.ts";
import type { CtlCall } from "../call.ts";
import { eachEndpoint } from "../each-endpoint.ts";
import { Exit, ExitCode } from "../exit.ts";
import type { EndpointHash } from "../print/results.ts";

export async function endpointHashKv(call: CtlCall): Promise<undefined> {
  const list: EndpointHash[] = [];
  let last: Error | undefined;
  await eachEndpoint(call, async (client, endpoint) => {
    try {
      const revision = call.flags.int("rev");
      list.push({ endpoint, hash: await client.unary(hashKV, { revision }, call.timeout) });
    } catch (error) {
      last = error as Error;
      call.io.err(`Failed to get the hash of endpoint ${endpoint} (${last.message})\n`);
    }
  });
  await call.display("endpointHash", list);
  if (last !== undefined) throw new Exit(ExitCode.error, last.message);
}
