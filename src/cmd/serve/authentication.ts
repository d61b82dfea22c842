/** What authentication is made with: tokens as `--auth-token` says, threads for passwords, names for logs. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { type Config, ConfigError } from "../../config/config.ts";
import type { Logger } from "../../lib/logger.ts";
import { startPasswordThread } from "../../runtime/password-thread.ts";
import { randomU32 } from "../../runtime/random.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import { watchFiles } from "../../runtime/watch-files.ts";
import type { AuthenticationOptions } from "../../server/auth/authentication.ts";
import { openTokens } from "../../server/auth/open-tokens.ts";
import { PasswordQueue } from "../../server/auth/password-queue.ts";
import { TokenOptionsError } from "../../server/auth/token-options.ts";

/** Half of the cores may be busy with passwords. */
const threadsMax = Math.min(4, Math.max(1, Math.floor(availableParallelism() / 2)));

/** Rejects if `--auth-token` cannot be used. */
export async function openAuthentication(
  config: Config,
  logger: Logger,
): Promise<AuthenticationOptions & { close(): void }> {
  const makeTokens = await openTokens({
    authToken: config.authToken,
    ttlSeconds: config.authTokenTtlSeconds,
    clock: systemClock,
    logger: logger.at("server/auth/open-tokens.ts"),
    randomU32,
    files: { read: readFile, watch: watchFiles },
    environment: process.env,
  }).catch((cause) => {
    throw cause instanceof TokenOptionsError
      ? new ConfigError(cause.message, { settings: ["authToken"] })
      : cause;
  });
  const hasher = new PasswordQueue({
    startThread: startPasswordThread,
    threadsMax,
    cost: config.bcryptCost,
    clock: systemClock,
    logger: logger.at("server/auth/password-queue.ts"),
  });
  return {
    makeTokens,
    hasher,
    trustCertificates: config.clientCertAuth,
    fingerprint: (token) => createHash("sha256").update(token).digest("hex").slice(0, 12),
    startsEnabled: config.enableAuthorization,
    close: () => hasher.close(),
  };
}
