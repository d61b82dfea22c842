/** `downgrade validate`, `enable` and `cancel`. */
import type { DowngradeResponse } from "../../client/messages/maintenance.ts";
import { downgrade } from "../../client/methods/maintenance.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, orExit } from "../exit.ts";

const action = { validate: 0, enable: 1, cancel: 2 } as const;

function targetOf({ args }: CtlCall): string {
  const [version] = args;
  if (version === undefined) return badArguments("TARGET_VERSION not provided");
  if (args.length > 1) badArguments("too many arguments");
  if (version === "") badArguments("target version not provided");
  return version;
}

async function ask(call: CtlCall, what: number, version: string): Promise<DowngradeResponse> {
  const client = await call.client();
  return orExit(client.unary(downgrade, { action: what, version }, call.timeout));
}

export async function validate(call: CtlCall): Promise<undefined> {
  await call.display("downgradeValidate", await ask(call, action.validate, targetOf(call)));
}

export async function enable(call: CtlCall): Promise<undefined> {
  await call.display("downgradeEnable", await ask(call, action.enable, targetOf(call)));
}

export async function cancel(call: CtlCall): Promise<undefined> {
  await call.display("downgradeCancel", await ask(call, action.cancel, ""));
}
