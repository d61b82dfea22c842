/**
 * Signed tokens (JWT, RFC 7519): whoever has the key can tell whose they are, and no member remembers them. Claims, methods
 * and settings are etcd's, so that tokens of one are good at the other.
 *
 * Beyond etcd: keys are read again when their files change, and a token that was verified once is known until it is over.
 */
import { jwtVerify, SignJWT } from "jose";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import type { Clock } from "../../lib/clock.ts";
import { parseGoDuration } from "../../lib/go-duration.ts";
import type { Logger } from "../../lib/logger.ts";
import { isSignMethod, type JwtKeySettings, type JwtKeys, loadJwtKeys } from "./jwt-keys.ts";
import type { KeyFiles } from "./key-files.ts";
import { type TokenOptions, TokenOptionsError, tokenFaults, warnOfUnknown } from "./token-options.ts";
import type { TokenGrant, TokenIdentity, TokenProvider } from "./token-provider.ts";
import { WorkSlots } from "./work-slots.ts";

const defaultTtlMs = 300_000;
/** Verified tokens that are remembered, by the sum of their lengths. */
const cacheCharactersMax = 8 * 1024 * 1024;
/** Signatures that are made or verified at the same time, and how many requests may wait for that. */
const slots = 2;
const waitingMax = 4096;
/** Refused tokens are logged one by one, but not more than one in so long. */
const refusalLogMs = 1_000;

export interface JwtTokensOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly files: KeyFiles;
  readonly tokenOptions: TokenOptions;
}

interface Verified {
  readonly identity: TokenIdentity;
  readonly expiresMs: number;
}

export class JwtTokens implements TokenProvider {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #files: KeyFiles;
  readonly #settings: JwtKeySettings;
  readonly #ttlMs: number;
  readonly #watching: { close(): void };
  readonly #slots = new WorkSlots(slots, waitingMax);
  #keys: JwtKeys;
  /** By token, oldest first. */
  #verified = new Map<string, Verified>();
  #verifiedCharacters = 0;
  readonly #underWay = new Map<string, Promise<TokenIdentity | undefined>>();
  #refusalLoggedMs = Number.NEGATIVE_INFINITY;
  #refusalsUnlogged = 0;
  #reloads: Promise<void> = Promise.resolve();

  private constructor(
    { clock, logger, files }: JwtTokensOptions,
    { keys, settings, ttlMs }: { keys: JwtKeys; settings: JwtKeySettings; ttlMs: number },
    watch: (changed: () => void) => { close(): void },
  ) {
    this.#clock = clock;
    this.#logger = logger;
    this.#files = files;
    this.#settings = settings;
    this.#ttlMs = ttlMs;
    this.#keys = keys;
    this.#watching = watch(() => this.#reload());
  }

  /** Reads the keys. Rejects with a `TokenOptionsError`. */
  static async open(options: JwtTokensOptions): Promise<JwtTokens> {
    const { tokenOptions, logger, files } = options;
    let changed = () => {};
    let watching: { close(): void } | undefined;
    try {
      const { settings, ttlMs } = jwtSettings(tokenOptions);
      const paths = [settings.publicPath, settings.privatePath].filter((path) => path !== undefined);
      // Watched before it is read: no change is missed.
      watching = files.watch(paths, () => changed());
      const keys = await loadJwtKeys(settings, files);
      warnOfUnknown(tokenOptions, logger);
      return new JwtTokens(options, { keys, settings, ttlMs }, (reload) => {
        changed = reload;
        return watching!;
      });
    } catch (error) {
      watching?.close();
      if (error instanceof TokenOptionsError && error.message !== tokenFaults.invalidMethod) throw error;
      logger.error("problem loading JWT options", { error: (error as Error).message });
      throw new TokenOptionsError(tokenFaults.invalidOptions);
    }
  }

  enable(): void {}
  disable(): void {}
  assign(_grant: TokenGrant): void {}
  forgetUser(_username: string): void {}

  newPrefix(): string {
    return "";
  }

  async issue({ username, authRevision }: TokenGrant): Promise<string> {
    const { method, sign } = this.#keys;
    if (!sign) throw new EtcdError(GrpcCode.unknown, tokenFaults.verifyOnly);
    const exp = Math.floor((this.#clock.wallMs() + this.#ttlMs) / 1000);
    return this.#slots.run(() =>
      new SignJWT({ username, revision: authRevision, exp })
        .setProtectedHeader({ alg: method, typ: "JWT" })
        .sign(sign),
    );
  }

  identify(token: string): TokenIdentity | undefined | Promise<TokenIdentity | undefined> {
    const known = this.#verified.get(token);
    if (known) {
      if (this.#clock.wallMs() < known.expiresMs) return known.identity;
      this.#forget(token);
    }
    // Cheap refusals first: what is no JWT at all costs nobody a signature.
    if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) {
      this.#refused("token is malformed");
      return undefined;
    }
    const underWay = this.#underWay.get(token);
    if (underWay) return underWay;
    const verifying = this.#slots.run(() => this.#verify(token)).finally(() => this.#underWay.delete(token));
    this.#underWay.set(token, verifying);
    return verifying;
  }

  close(): void {
    this.#watching.close();
  }

  async #verify(token: string): Promise<TokenIdentity | undefined> {
    const keys = this.#keys;
    try {
      const { payload } = await jwtVerify(token, keys.verify, {
        algorithms: [keys.method],
        currentDate: new Date(this.#clock.wallMs()),
      });
      const { username, revision, exp } = payload;
      if (typeof username !== "string") return this.#refused("no claim username");
      if (typeof revision !== "number" || !(revision >= 0)) return this.#refused("no claim revision");
      const identity = { username, authRevision: Math.trunc(revision) };
      const expiresMs = exp === undefined ? Number.POSITIVE_INFINITY : exp * 1000;
      if (keys === this.#keys) this.#remember(token, { identity, expiresMs });
      return identity;
    } catch (error) {
      return this.#refused((error as Error).message);
    }
  }

  #remember(token: string, verified: Verified): void {
    if (this.#verified.has(token) || token.length > cacheCharactersMax) return;
    this.#verifiedCharacters += token.length;
    this.#verified.set(token, verified);
    while (this.#verifiedCharacters > cacheCharactersMax) {
      this.#forget(this.#verified.keys().next().value!);
    }
  }

  #forget(token: string): void {
    if (this.#verified.delete(token)) this.#verifiedCharacters -= token.length;
  }

  #refused(error: string): undefined {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#refusalLoggedMs < refusalLogMs) {
      this.#refusalsUnlogged++;
      return undefined;
    }
    this.#logger.warn("failed to parse a JWT token", { error, "not-logged": this.#refusalsUnlogged });
    this.#refusalLoggedMs = nowMs;
    this.#refusalsUnlogged = 0;
    return undefined;
  }

  /** One after the other, so that the newest state of the files is what stays. */
  #reload(): void {
    this.#reloads = this.#reloads.then(async () => {
      try {
        this.#keys = await loadJwtKeys(this.#settings, this.#files);
      } catch (error) {
        this.#logger.warn("failed to read the JWT keys again; the old ones stay in use", {
          error: (error as Error).message,
        });
        return;
      }
      this.#verified = new Map();
      this.#verifiedCharacters = 0;
      this.#logger.info("read the JWT keys again", { "sign-method": this.#keys.method });
    });
  }
}

function jwtSettings({ settings }: TokenOptions): { settings: JwtKeySettings; ttlMs: number } {
  const ttl = settings.get("ttl");
  const ttlMs = ttl ? parseGoDuration(ttl) : defaultTtlMs;
  const method = settings.get("sign-method") ?? "";
  if (method === "none") {
    throw new TokenOptionsError("unsupported signing method: *jwt.signingMethodNone");
  }
  if (!isSignMethod(method)) throw new TokenOptionsError(tokenFaults.invalidMethod);
  return {
    settings: {
      method,
      publicPath: settings.get("pub-key") || undefined,
      privatePath: settings.get("priv-key") || undefined,
    },
    ttlMs,
  };
}
