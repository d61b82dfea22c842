/** Tokens and hashes that cost nothing and hide nothing. */
import { errors } from "../../../errors/table.ts";
import type { AuthenticationOptions } from "../authentication.ts";
import type { TokenGrant, TokenIdentity, TokenProvider } from "../token-provider.ts";

export class FakeTokens implements TokenProvider {
  readonly users = new Map<string, string>();
  /** With it all answers come as promises, as those of tokens that have to be verified. */
  isSlow = false;
  isEnabled = false;
  #next = 1;

  enable(): void {
    this.isEnabled = true;
  }

  disable(): void {
    this.isEnabled = false;
    this.users.clear();
  }

  newPrefix(): string {
    return `prefix${this.#next++}`;
  }

  assign(grant: TokenGrant): void {
    if (this.isEnabled) this.users.set(tokenOf(grant), grant.username);
  }

  issue(grant: TokenGrant): string {
    return tokenOf(grant);
  }

  identify(
    token: string,
    authRevision: number,
  ): TokenIdentity | undefined | Promise<TokenIdentity | undefined> {
    const username = this.users.get(token);
    const identity = username === undefined ? undefined : { username, authRevision };
    return this.isSlow ? Promise.resolve(identity) : identity;
  }

  forgetUser(username: string): void {
    for (const [token, name] of this.users) if (name === username) this.users.delete(token);
  }
}

const tokenOf = ({ prefix, index }: TokenGrant): string => `${prefix}.${index}`;

/** `tokens` are those of the server that is made with them. */
export function fakeAuthentication(
  tokens = new FakeTokens(),
  more: Partial<AuthenticationOptions> = {},
): AuthenticationOptions {
  return {
    makeTokens: () => tokens,
    hasher: {
      hash: (password) =>
        password.length > 72
          ? Promise.reject(errors.noPasswordUser())
          : Promise.resolve(`hash of ${password}`),
      matches: (password, hash) => Promise.resolve(hash === `hash of ${password}`),
    },
    trustCertificates: false,
    fingerprint: (token) => token.slice(0, 3),
    ...more,
  };
}
