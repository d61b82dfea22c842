/** `del`. */
import { deleteRange } from "../../client/methods/kv.ts";
import type { CtlCall } from "../call.ts";
import { orExit } from "../exit.ts";
import { delRequest } from "../operations.ts";

export async function del(call: CtlCall): Promise<undefined> {
  const request = await delRequest(call, call.io);
  const client = await call.client();
  await call.display("del", await orExit(client.unary(deleteRange, request, call.timeout)));
}
