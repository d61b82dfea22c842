/** `options`. */
import { describeFlags } from "../../lib/command-line/flags.ts";
import type { CtlCall } from "../call.ts";
import { shownFlags } from "../global-flags.ts";

export async function options({ io }: CtlCall): Promise<undefined> {
  io.out(`The following options can be passed to any command:\n\n${describeFlags(shownFlags)}`);
}
