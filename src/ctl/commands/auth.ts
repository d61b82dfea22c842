/** `auth enable`, `disable` and `status`. */
import * as methods from "../../client/methods/auth.ts";
import { errors } from "../../errors/table.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, orExit } from "../exit.ts";

function noArguments({ args }: CtlCall, name: string): void {
  if (args.length > 0) badArguments(`auth ${name} command does not accept any arguments`);
}

export async function status(call: CtlCall): Promise<undefined> {
  noArguments(call, "status");
  const client = await call.client();
  await call.display("authStatus", await orExit(client.unary(methods.authStatus, {}, call.timeout)));
}

/** A user root without the role root is given it first. */
export async function enable(call: CtlCall): Promise<undefined> {
  noArguments(call, "enable");
  const client = await call.client();
  const { timeout } = call;
  const work = async (): Promise<void> => {
    try {
      await client.unary(methods.authEnable, {}, timeout);
    } catch (error) {
      if ((error as Error).message !== errors.rootRoleNotExist.text) throw error;
      await client.unary(methods.roleAdd, { name: "root" }, timeout);
      await client.unary(methods.userGrantRole, { user: "root", role: "root" }, timeout);
      await client.unary(methods.authEnable, {}, timeout);
    }
  };
  await orExit(work());
  call.io.out("Authentication Enabled\n");
}

export async function disable(call: CtlCall): Promise<undefined> {
  noArguments(call, "disable");
  const client = await call.client();
  await orExit(client.unary(methods.authDisable, {}, call.timeout));
  call.io.out("Authentication Disabled\n");
}
