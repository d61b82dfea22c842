/** `completion`: a script for a shell, which asks this program what may come next. */
import type { shells } from "../../lib/command-line/complete.ts";
import { completionScript } from "../../lib/command-line/completion-script.ts";
import type { CtlCall } from "../call.ts";

export async function completion({ args, io }: CtlCall): Promise<undefined> {
  io.out(completionScript(args[0] as (typeof shells)[number], "etcdctl"));
}
