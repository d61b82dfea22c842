/** `compaction`. */
import { compact } from "../../client/methods/kv.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, Exit, ExitCode, orExit } from "../exit.ts";
import { parseInteger } from "../words.ts";

export async function compaction(call: CtlCall): Promise<undefined> {
  const [word] = call.args;
  if (word === undefined || call.args.length !== 1)
    return badArguments("compaction command needs 1 argument");
  let revision: bigint;
  try {
    revision = parseInteger(word, 10);
  } catch (error) {
    throw new Exit(ExitCode.error, (error as Error).message);
  }
  const client = await call.client();
  await orExit(client.unary(compact, { revision, physical: call.flags.bool("physical") }, call.timeout));
  call.io.out(`compacted revision ${revision}\n`);
}
