/** Authentication as the server has it: the replicated users and roles, and beside them what gives out tokens. */
import type { AuthState } from "../../auth/auth-state.ts";
import { type Caller, rootName } from "../../auth/caller.ts";
import { errors } from "../../errors/table.ts";
import type { Logger } from "../../lib/logger.ts";
import type { PasswordHasher, TokenHost, TokenIdentity, TokenProvider } from "./token-provider.ts";

/** What authentication is made with. */
export interface AuthenticationOptions {
  readonly makeTokens: (host: TokenHost) => TokenProvider;
  readonly hasher: PasswordHasher;
  /** `--client-cert-auth`: a verified client certificate's common name is a user. */
  readonly trustCertificates: boolean;
  /** What a token is called in logs. */
  readonly fingerprint: (token: string) => string;
  /** `enable-authorization`: nobody is served before authentication is on for the first time. */
  readonly startsEnabled?: boolean;
}

/** The server that it is part of. */
export interface AuthenticationHost extends TokenHost {
  /** Nobody has to wait any more: see `isAwaited`. */
  onBegun(): void;
}

export interface AuthenticationParts {
  readonly auth: AuthState;
  readonly authentication: AuthenticationOptions;
  readonly logger: Logger;
}

/** What a call shows of who makes it. */
export interface Credentials {
  readonly token: string | undefined;
  /** Of a verified client certificate. */
  readonly commonName: string | undefined;
}

export class Authentication {
  readonly state: AuthState;
  readonly tokens: TokenProvider;
  readonly hasher: PasswordHasher;
  readonly logger: Logger;
  readonly #options: AuthenticationOptions;
  readonly #host: AuthenticationHost;
  #hasBegun: boolean;

  constructor(parts: AuthenticationParts, host: AuthenticationHost) {
    const { auth: state, authentication: options, logger } = parts;
    this.state = state;
    this.logger = logger.at("server/auth/authentication.ts");
    this.hasher = options.hasher;
    this.tokens = options.makeTokens(host);
    this.#options = options;
    this.#host = host;
    this.#hasBegun = !options.startsEnabled || state.enabled;
    if (state.enabled) this.tokens.enable();
  }

  get enabled(): boolean {
    return this.state.enabled;
  }

  /** True while nobody may be served because authentication is about to be turned on. */
  get isAwaited(): boolean {
    return !this.#hasBegun;
  }

  /** The state was loaded from a leader's snapshot. */
  restored(): void {
    if (this.state.enabled) this.turnedOn();
    else this.tokens.disable();
  }

  turnedOn(): void {
    this.tokens.enable();
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#host.onBegun();
  }

  /** How the server itself asks for what is checked at apply. */
  get asRoot(): Caller | undefined {
    return this.state.enabled ? { username: rootName, authRevision: this.state.revision } : undefined;
  }

  /**
   * Who makes a call: undefined if it does not say, or if nobody is asked. Throws ErrInvalidAuthToken, or rejects with it.
   */
  identify({ token, commonName }: Credentials): Caller | undefined | Promise<Caller | undefined> {
    if (!this.state.enabled) return undefined;
    if (token === undefined) return this.#identifyByName(commonName);
    const found = this.tokens.identify(token, this.state.revision);
    return found instanceof Promise
      ? found.then((identity) => this.#known(token, identity))
      : this.#known(token, found);
  }

  #identifyByName(commonName: string | undefined): Caller | undefined {
    if (commonName === undefined || !this.#options.trustCertificates) return undefined;
    return { username: commonName, authRevision: this.state.revision };
  }

  #known(token: string, identity: TokenIdentity | undefined): TokenIdentity {
    if (identity) return identity;
    this.logger.warn("invalid auth token", { "token-fingerprint": this.#options.fingerprint(token) });
    throw errors.invalidAuthToken();
  }

  stop(): void {
    this.tokens.disable();
    this.tokens.close?.();
  }
}

/** For servers that were told nothing of authentication: it can be turned on, but nobody gets in any more. */
export const noTokens: AuthenticationOptions = {
  makeTokens: () => ({
    enable() {},
    disable() {},
    newPrefix: () => "",
    assign() {},
    issue: () => Promise.reject(errors.invalidAuthToken()),
    identify: () => undefined,
    forgetUser() {},
  }),
  hasher: {
    hash: () => Promise.reject(errors.noPasswordUser()),
    matches: () => Promise.resolve(false),
  },
  trustCertificates: false,
  fingerprint: () => "",
};
