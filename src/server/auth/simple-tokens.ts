/**
 * Simple tokens: random letters and the index of the entry that granted them. The members remember them, each for
 * itself and in memory, and forget those that nobody used for `--auth-token-ttl`.
 */
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { TokenGrant, TokenIdentity, TokenProvider } from "./token-provider.ts";

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const prefixLetters = 16;
const defaultTtlSeconds = 300;
/** Tokens that are remembered. Beyond it whoever has most of them loses the one that was not used for longest. */
const tokensMax = 100_000;
/** How often what is over is looked for. */
const sweepMs = 1_000;
/** Requests that may wait for their token: another member has granted it, and the entry is not applied here yet. */
const waitersMax = 1_000;
const waitMs = 5_000;
const waitLookMs = 100;

export interface SimpleTokensOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** A random number below 2^32 that nobody can foretell. */
  readonly randomU32: () => number;
  /** `--auth-token-ttl`; 0 is the default. */
  readonly ttlSeconds: number;
  /** Index of the last entry that was applied here. */
  readonly appliedIndex: () => number;
}

interface Token {
  readonly username: string;
  expiresMs: number;
  /** When it went to the end of its user's tokens: they are in the order of this. */
  movedMs: number;
}

interface Waiter {
  readonly token: string;
  readonly index: number;
  readonly authRevision: number;
  readonly untilMs: number;
  readonly resolve: (identity: TokenIdentity | undefined) => void;
}

export class SimpleTokens implements TokenProvider {
  readonly #options: SimpleTokensOptions;
  readonly #ttlMs: number;
  readonly #tokens = new Map<string, Token>();
  readonly #byUser = new Map<string, Map<string, Token>>();
  #waiters: Waiter[] = [];
  #enabled = false;
  #sweep: Timer | undefined;
  #look: Timer | undefined;

  constructor(options: SimpleTokensOptions) {
    this.#options = options;
    this.#ttlMs = (options.ttlSeconds || defaultTtlSeconds) * 1000;
  }

  /** How many tokens are remembered. */
  get size(): number {
    return this.#tokens.size;
  }

  enable(): void {
    this.#enabled = true;
  }

  disable(): void {
    this.#enabled = false;
    this.#tokens.clear();
    this.#byUser.clear();
    this.close();
  }

  newPrefix(): string {
    let prefix = "";
    while (prefix.length < prefixLetters) prefix += this.#letter();
    return prefix;
  }

  /** Each letter is as likely as any other, so numbers beyond the last whole multiple are thrown again. */
  #letter(): string {
    const fair = 2 ** 32 - (2 ** 32 % letters.length);
    for (;;) {
      const random = this.#options.randomU32();
      if (random < fair) return letters[random % letters.length]!;
    }
  }

  assign(grant: TokenGrant): void {
    if (!this.#enabled || grant.prefix === "") return;
    const name = tokenOf(grant);
    const nowMs = this.#options.clock.monotonicMs();
    const token = { username: grant.username, expiresMs: nowMs + this.#ttlMs, movedMs: nowMs };
    this.#forget(name);
    if (this.#tokens.size >= tokensMax) this.#makeRoom();
    this.#tokens.set(name, token);
    const own = this.#byUser.get(grant.username) ?? new Map<string, Token>();
    this.#byUser.set(grant.username, own);
    own.set(name, token);
    if (this.#waiters.length > 0) this.#settle();
    this.#sweep ??= this.#options.clock.after(sweepMs, () => this.#forgetExpired());
  }

  issue(grant: TokenGrant): string {
    return tokenOf(grant);
  }

  identify(
    name: string,
    authRevision: number,
  ): TokenIdentity | undefined | Promise<TokenIdentity | undefined> {
    return this.#known(name, authRevision) ?? this.#whenApplied(name, authRevision);
  }

  forgetUser(username: string): void {
    for (const name of this.#byUser.get(username)?.keys() ?? []) this.#tokens.delete(name);
    this.#byUser.delete(username);
  }

  close(): void {
    this.#sweep?.cancel();
    this.#look?.cancel();
    this.#sweep = undefined;
    this.#look = undefined;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(undefined);
  }

  /** Whose token it is, and for another while. */
  #known(name: string, authRevision: number): TokenIdentity | undefined {
    const token = this.#tokens.get(name);
    if (!token) return undefined;
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs > token.expiresMs) {
      this.#forget(name);
      return undefined;
    }
    token.expiresMs = nowMs + this.#ttlMs;
    // Not at each use: most requests come within a second of another.
    if (nowMs - token.movedMs > sweepMs) this.#moveToEnd(name, token, nowMs);
    return { username: token.username, authRevision };
  }

  #moveToEnd(name: string, token: Token, nowMs: number): void {
    const own = this.#byUser.get(token.username)!;
    own.delete(name);
    own.set(name, token);
    token.movedMs = nowMs;
  }

  #forget(name: string): void {
    const token = this.#tokens.get(name);
    if (!token) return;
    this.#tokens.delete(name);
    const own = this.#byUser.get(token.username)!;
    own.delete(name);
    if (own.size === 0) this.#byUser.delete(token.username);
  }

  #forgetExpired(): void {
    this.#sweep = undefined;
    const nowMs = this.#options.clock.monotonicMs();
    for (const own of this.#byUser.values()) {
      for (const [name, token] of own) {
        if (token.movedMs + this.#ttlMs >= nowMs) break;
        if (token.expiresMs >= nowMs) {
          this.#moveToEnd(name, token, token.expiresMs - this.#ttlMs);
          continue;
        }
        this.#forget(name);
        this.#options.logger.debug("deleted a simple token", { "user-name": token.username });
      }
    }
    if (this.#tokens.size === 0) return;
    this.#sweep = this.#options.clock.after(sweepMs, () => this.#forgetExpired());
  }

  #makeRoom(): void {
    let most: Map<string, Token> | undefined;
    for (const own of this.#byUser.values()) if (own.size > (most?.size ?? 0)) most = own;
    const [name, { username }] = most!.entries().next().value!;
    this.#forget(name);
    this.#options.logger.debug("deleted a simple token, because there are too many", {
      "user-name": username,
    });
  }

  /**
   * A token may have been granted by an entry that others have applied and this member has not: then it is worth waiting.
   */
  #whenApplied(name: string, authRevision: number): undefined | Promise<TokenIdentity | undefined> {
    const [, digits] = /^[^.]*\.(\d{1,20})$/.exec(name) ?? [];
    if (digits === undefined || !this.#enabled) return undefined;
    const index = Number(digits);
    if (index <= this.#options.appliedIndex() || this.#waiters.length >= waitersMax) return undefined;
    const { clock } = this.#options;
    this.#look ??= clock.after(waitLookMs, () => this.#lookAgain());
    return new Promise((resolve) => {
      const untilMs = clock.monotonicMs() + waitMs;
      this.#waiters.push({ token: name, index, authRevision, untilMs, resolve });
    });
  }

  #lookAgain(): void {
    this.#look = undefined;
    this.#settle();
    if (this.#waiters.length === 0) return;
    this.#look = this.#options.clock.after(waitLookMs, () => this.#lookAgain());
  }

  /** Answers those whose token has come, cannot come any more, or did not come in time. */
  #settle(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const applied = this.#options.appliedIndex();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      const identity = this.#known(waiter.token, waiter.authRevision);
      if (identity || waiter.index <= applied || nowMs >= waiter.untilMs) waiter.resolve(identity);
      else this.#waiters.push(waiter);
    }
  }
}

const tokenOf = ({ prefix, index }: TokenGrant): string => `${prefix}.${index}`;
