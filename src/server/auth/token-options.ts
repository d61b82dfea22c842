/** `--auth-token` as etcd reads it: a kind, and settings behind commas. */
import type { Logger } from "../../lib/logger.ts";

/** `--auth-token` cannot be used; the server does not start. The messages are etcd's where it has one. */
export class TokenOptionsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TokenOptionsError";
  }
}

export const tokenFaults = {
  invalidOptions: "auth: invalid auth options",
  invalidMethod: "auth: invalid auth signature method",
  missingKey: "auth: missing key data",
  keyMismatch: "auth: public and private keys don't match",
  verifyOnly: "auth: token signing attempted with verify-only key",
} as const;

export interface TokenOptions {
  readonly kind: string;
  readonly settings: ReadonlyMap<string, string>;
}

export function parseTokenOptions(text: string, logger: Logger): TokenOptions {
  const [kind = "", ...rest] = text.split(",");
  const settings = new Map<string, string>();
  for (const option of rest) {
    const [name, value, ...more] = option.split("=");
    if (name === undefined || value === undefined || more.length > 0) {
      logger.error("invalid token option", { option: text });
      throw new TokenOptionsError(tokenFaults.invalidOptions);
    }
    if (settings.has(name)) {
      logger.error("invalid token option", { option: text, "duplicate-parameter": name });
      throw new TokenOptionsError(tokenFaults.invalidOptions);
    }
    settings.set(name, value);
  }
  return { kind, settings };
}

const known = new Set(["sign-method", "pub-key", "priv-key", "ttl"]);

export function warnOfUnknown({ settings }: TokenOptions, logger: Logger): void {
  const keys = [...settings.keys()].filter((name) => !known.has(name));
  if (keys.length > 0) logger.warn("unknown JWT options", { keys: keys });
}
