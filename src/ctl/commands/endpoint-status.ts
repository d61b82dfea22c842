/** `endpoint status`. */
import { status } from "../../client/methods/maintenance.ts";
import type { CtlCall } from "../call.ts";
import { eachEndpoint } from "../each-endpoint.ts";
import type { EndpointStatus } from "../print/results.ts";

export async function endpointStatus(call: CtlCall): Promise<number> {
  const list: EndpointStatus[] = [];
  let hasFailed = false;
  await eachEndpoint(call, async (client, endpoint) => {
    try {
      list.push({ endpoint, status: await client.unary(status, {}, call.timeout) });
    } catch (error) {
      hasFailed = true;
      call.io.err(`Failed to get the status of endpoint ${endpoint} (${(error as Error).message})\n`);
    }
  });
  await call.display("endpointStatus", list);
  return hasFailed ? 1 : 0;
}
