/** `alarm list` and `alarm disarm`. */
import { alarm } from "../../client/methods/maintenance.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, orExit } from "../exit.ts";

/** What an AlarmRequest asks for. */
const action = { get: 0, activate: 1, deactivate: 2 } as const;

export async function list(call: CtlCall): Promise<undefined> {
  if (call.args.length > 0) badArguments("alarm list command accepts no arguments");
  const client = await call.client();
  await call.display("alarm", await orExit(client.unary(alarm, { action: action.get }, call.timeout)));
}

/** Each alarm of each member that has one. The answer lists those that were raised. */
export async function disarm(call: CtlCall): Promise<undefined> {
  if (call.args.length > 0) badArguments("alarm disarm command accepts no arguments");
  const client = await call.client();
  const { timeout } = call;
  const raised = await orExit(client.unary(alarm, { action: action.get }, timeout));
  const disarmed = [];
  for (const { memberID, alarm: kind } of raised.alarms) {
    const request = { action: action.deactivate, memberID, alarm: kind };
    disarmed.push(...(await orExit(client.unary(alarm, request, timeout))).alarms);
  }
  await call.display("alarm", { header: undefined, alarms: disarmed });
}
