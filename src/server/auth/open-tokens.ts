/** `--auth-token` as something that gives out and recognizes tokens. */
import { errors } from "../../errors/table.ts";
import type { KeyFiles } from "./key-files.ts";
import { PresharedSecret, PresharedToken } from "./preshared-token.ts";
import { SimpleTokens, type SimpleTokensOptions } from "./simple-tokens.ts";
import { parseTokenOptions } from "./token-options.ts";
import type { MakeTokenProvider, TokenProvider } from "./token-provider.ts";

export interface OpenTokensOptions extends Omit<SimpleTokensOptions, "appliedIndex"> {
  /** `--auth-token`. */
  readonly authToken: string;
  readonly files: KeyFiles;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads what `--auth-token` names; the rest is for when there is a server. Rejects with a `TokenOptionsError`, after which
 * the server cannot start.
 */
export async function openTokens(options: OpenTokensOptions): Promise<MakeTokenProvider> {
  const { authToken, logger } = options;
  const simple: MakeTokenProvider = (host) =>
    new SimpleTokens({ ...options, appliedIndex: () => host.appliedIndex() });
  if (authToken === "") return () => noTokens;
  const kind = authToken.split(",", 1)[0];
  if (kind === "simple") {
    parseTokenOptions(authToken, logger);
    logger.warn("simple token is not cryptographically signed");
    return simple;
  }
  if (kind === "jwt") {
    // With all its signature methods: loaded only for those who want it.
    const { JwtTokens } = await import("./jwt-tokens.ts");
    const tokens = await JwtTokens.open({ ...options, tokenOptions: parseTokenOptions(authToken, logger) });
    return () => tokens;
  }
  const secret = await PresharedSecret.open({ ...options, text: authToken });
  return (host) => new PresharedToken(secret, simple(host));
}

/** With an empty `--auth-token` nobody gets a token. */
const noTokens: TokenProvider = {
  enable() {},
  disable() {},
  newPrefix: () => "",
  assign() {},
  issue() {
    throw errors.authFailed();
  },
  identify: () => undefined,
  forgetUser() {},
};
