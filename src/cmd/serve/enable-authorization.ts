/** `enable-authorization` of a whole program: tries until there is authentication, and shows the password. */
import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import type { Logger } from "../../lib/logger.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import { beginEnabled } from "../../server/auth/begin-enabled.ts";
import type { EtcdServer } from "../../server/etcd-server.ts";

const retryMs = 500;

export async function enableAuthorization(server: EtcdServer, logger: Logger): Promise<void> {
  const log = logger.at("cmd/serve/enable-authorization.ts");
  for (;;) {
    try {
      await beginEnabled(server, newPassword, show);
      return;
    } catch (error) {
      log.warn("failed to enable authentication; trying again", { error: (error as Error).message });
    }
    await new Promise<void>((resolve) => systemClock.after(retryMs, resolve));
  }
}

/** 144 bits. */
const newPassword = (): string => randomBytes(18).toString("base64url");

/** Past the log, which is kept. */
function show(password: string): void {
  writeSync(
    2,
    `\nAuthentication is on. The user "root" was made, with the password\n\n    ${password}\n\n` +
      "It is shown this once and kept nowhere: change it, or keep it safe.\n\n",
  );
}
