/**
 * A pre-shared bearer token: an `--auth-token` that is neither `simple` nor `jwt` is itself a token, and acts as root.
 * etcd has no such thing. Users with passwords get simple tokens besides.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Logger } from "../../lib/logger.ts";
import type { KeyFiles } from "./key-files.ts";
import { TokenOptionsError, tokenFaults } from "./token-options.ts";
import type { TokenGrant, TokenIdentity, TokenProvider } from "./token-provider.ts";

/** Also lest a misspelt kind of token becomes a secret that everybody can guess. */
const charactersMin = 16;
const rootUser = "root";
const scheme = /^bearer +/i;

export interface PresharedSecretOptions {
  /** As configured: the token, `file:PATH`, or `${VARIABLE}`. */
  readonly text: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly files: KeyFiles;
  readonly logger: Logger;
}

/** The token, and where it comes from. */
export class PresharedSecret {
  #digest: Buffer;
  #watching: { close(): void } | undefined;

  private constructor(secret: string) {
    this.#digest = digest(secret);
  }

  /** Rejects with a `TokenOptionsError`. */
  static async open(options: PresharedSecretOptions): Promise<PresharedSecret> {
    const { text, environment, logger } = options;
    const path = /^file:(.+)$/s.exec(text)?.[1];
    if (path !== undefined) return PresharedSecret.#fromFile(options, path);
    const variable = /^\$\{(\w+)\}$/.exec(text)?.[1];
    if (variable !== undefined) {
      const value = environment[variable];
      if (!value) throw new TokenOptionsError(`--auth-token: the variable ${variable} is not set`);
      return new PresharedSecret(checkSecret(value, `the variable ${variable}`));
    }
    const secret = checkSecret(text, "--auth-token");
    logger.warn(
      "the token in --auth-token acts as root and is in plain text: who can read the command line, the environment or " +
        "the configuration file of this process can do everything; use file:PATH or $" +
        "{VARIABLE} instead",
    );
    return new PresharedSecret(secret);
  }

  static async #fromFile(options: PresharedSecretOptions, path: string): Promise<PresharedSecret> {
    const { files } = options;
    let made: PresharedSecret | undefined;
    const watching = files.watch([path], () => {
      if (made) void made.#reread(options, path);
    });
    try {
      made = new PresharedSecret(await readSecret(files, path));
      made.#watching = watching;
      return made;
    } catch (error) {
      watching.close();
      if (error instanceof TokenOptionsError) throw error;
      throw new TokenOptionsError(`--auth-token: ${(error as Error).message}`);
    }
  }

  /** Digests have one length, and comparing them tells nothing about how much of the token was right. */
  is(token: string): boolean {
    return timingSafeEqual(digest(token.replace(scheme, "")), this.#digest);
  }

  close(): void {
    this.#watching?.close();
  }

  async #reread({ files, logger }: PresharedSecretOptions, path: string): Promise<void> {
    try {
      this.#digest = digest(await readSecret(files, path));
      logger.info("read the pre-shared token again", { path });
    } catch (error) {
      logger.warn("failed to read the pre-shared token again; the old one stays in use", {
        path,
        error: (error as Error).message,
      });
    }
  }
}

export class PresharedToken implements TokenProvider {
  readonly #secret: PresharedSecret;
  /** For everybody else. */
  readonly #others: TokenProvider;

  constructor(secret: PresharedSecret, others: TokenProvider) {
    this.#secret = secret;
    this.#others = others;
  }

  enable(): void {
    this.#others.enable();
  }
  disable(): void {
    this.#others.disable();
  }
  newPrefix(): string {
    return this.#others.newPrefix();
  }
  assign(grant: TokenGrant): void {
    this.#others.assign(grant);
  }
  issue(grant: TokenGrant): string | Promise<string> {
    return this.#others.issue(grant);
  }
  forgetUser(username: string): void {
    this.#others.forgetUser(username);
  }

  identify(
    token: string,
    authRevision: number,
  ): TokenIdentity | undefined | Promise<TokenIdentity | undefined> {
    if (this.#secret.is(token)) return { username: rootUser, authRevision };
    return this.#others.identify(token, authRevision);
  }

  close(): void {
    this.#secret.close();
    this.#others.close?.();
  }
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

async function readSecret(files: KeyFiles, path: string): Promise<string> {
  const text = new TextDecoder().decode(await files.read(path));
  return checkSecret(text.replace(/\r?\n$/, ""), path);
}

/** Throws a `TokenOptionsError`, which does not show the secret. */
function checkSecret(secret: string, where: string): string {
  const refuse = (why: string) => new TokenOptionsError(`${tokenFaults.invalidOptions}: ${where} ${why}`);
  if (/^(simple|jwt)/i.test(secret)) throw refuse("is neither a kind of token nor a secret");
  if (secret.length < charactersMin) {
    throw refuse(`is no kind of token, and a pre-shared token has ${charactersMin} characters at least`);
  }
  if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(secret)) {
    throw refuse(
      "has characters that a pre-shared token cannot have: printable ASCII without spaces and commas",
    );
  }
  return secret;
}
