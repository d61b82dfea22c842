/** `put`. */
import { put as method } from "../../client/methods/kv.ts";
import type { CtlCall } from "../call.ts";
import { orExit } from "../exit.ts";
import { putRequest } from "../operations.ts";

export async function put(call: CtlCall): Promise<undefined> {
  const request = await putRequest(call, call.io);
  const client = await call.client();
  await call.display("put", await orExit(client.unary(method, request, call.timeout)));
}
