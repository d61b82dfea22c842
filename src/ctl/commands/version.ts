/** `version`. */

import { etcdVersion } from "../../server/versions.ts";
import type { CtlCall } from "../call.ts";

export async function version({ io }: CtlCall): Promise<undefined> {
  const api = etcdVersion.split(".").slice(0, 2).join(".");
  io.out(`etcdctl version: ${etcdVersion}\nAPI version: ${api}\n`);
}
