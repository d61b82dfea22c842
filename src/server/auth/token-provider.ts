/** What gives out and recognizes tokens: simple ones that members remember, or signed ones (JWT) that carry all. */

/** Who a token speaks for, and the revision of the auth store that this was true of. */
export interface TokenIdentity {
  readonly username: string;
  readonly authRevision: number;
}

/** A token as it goes through the log: every member gets to know a simple one, by these and the entry's index. */
export interface TokenGrant extends TokenIdentity {
  /** What `newPrefix` gave; empty for tokens that nobody has to remember. */
  readonly prefix: string;
  /** Index of the entry that granted it. */
  readonly index: number;
}

export interface TokenProvider {
  /** Authentication was turned on, here or by a restored state; tokens are remembered from now on. */
  enable(): void;
  /** Authentication was turned off; remembered tokens are forgotten. */
  disable(): void;
  /** The random part of a token to be, made by the member that proposes it. */
  newPrefix(): string;
  /** Called at apply on every member. */
  assign(grant: TokenGrant): void;
  /** The token for the client, on the member that it asked, after apply. Rejects with etcd's errors. */
  issue(grant: TokenGrant): string | Promise<string>;
  /**
   * Whom a token speaks for; undefined if it is none of ours or is over. Without a promise where nothing has to be
   * verified, because every request asks. `authRevision` is the auth store's now: a token that members remember speaks for
   * its user as of now, a signed one as of when it was signed.
   */
  identify(
    token: string,
    authRevision: number,
  ): TokenIdentity | undefined | Promise<TokenIdentity | undefined>;
  /** The user's password or roles changed, or it was removed: remembered tokens of it are forgotten. */
  forgetUser(username: string): void;
  /** The server stops: no more timers and files. */
  close?(): void;
}

/** What a provider may ask of the server that it is part of. */
export interface TokenHost {
  /** Index of the last entry that was applied here. A member that is behind does not know yet the tokens that others gave
   * out. */
  appliedIndex(): number;
}

/** Called once, while the server is being made. */
export type MakeTokenProvider = (host: TokenHost) => TokenProvider;

/** Who asks for work on a password. */
export interface Asking {
  /** The host at the other end: each host has its turn, however much the others ask. */
  readonly source?: string | undefined;
  /** When nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
}

/** Hashes passwords as etcd stores them (bcrypt), outside the event loop and with a bounded queue. */
export interface PasswordHasher {
  /** Rejects with etcd's errors if the password cannot be hashed, or when too many wait. */
  hash(password: string, asking?: Asking): Promise<string>;
  /** Whether the password is that of the hash. Rejects when too many wait. */
  matches(password: string, hash: string, asking?: Asking): Promise<boolean>;
}
