/** `move-leader`. */
import { moveLeader as method, status } from "../../client/methods/maintenance.ts";
import { goUint64 } from "../../lib/go-number.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, Exit, ExitCode, orExit } from "../exit.ts";
import { parseInteger } from "../words.ts";

export async function moveLeader(call: CtlCall): Promise<undefined> {
  const [word] = call.args;
  if (word === undefined || call.args.length !== 1)
    return badArguments("move-leader command needs 1 argument");
  let to: bigint;
  try {
    to = parseInteger(word, 16, goUint64);
  } catch (error) {
    return badArguments((error as Error).message);
  }
  const options = await call.clientOptions();
  const { timeout } = call;
  for (const endpoint of options.endpoints) {
    const client = await call.connect({ ...options, endpoints: [endpoint] });
    const { header, leader } = await orExit(client.unary(status, {}, timeout));
    if (header?.member_id === leader) {
      const response = await orExit(client.unary(method, { targetID: to }, timeout));
      await call.display("moveLeader", { from: leader, to, response });
      return;
    }
    client.close();
  }
  throw new Exit(ExitCode.badArguments, `no leader endpoint given at [${options.endpoints.join(" ")}]`);
}
