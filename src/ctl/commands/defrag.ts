/** `defrag`. */
import { defragment } from "../../client/methods/maintenance.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import type { CtlCall } from "../call.ts";
import { eachEndpoint } from "../each-endpoint.ts";

export async function defrag(call: CtlCall): Promise<number> {
  let hasFailed = false;
  await eachEndpoint(call, async (client, endpoint) => {
    const started = performance.now();
    const took = (): string => formatGoDuration(performance.now() - started);
    try {
      await client.unary(defragment, {}, call.timeout);
      call.io.out(`Finished defragmenting etcd member[${endpoint}]. took ${took()}\n`);
    } catch (error) {
      hasFailed = true;
      const { message } = error as Error;
      call.io.err(`Failed to defragment etcd member[${endpoint}]. took ${took()}. (${message})\n`);
    }
  });
  return hasFailed ? 1 : 0;
}
