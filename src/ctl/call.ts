/** One run of a command: its flags and arguments, the client it needs, and where its result goes. */
import type { Client, ClientOptions, FailedAttempt, RequestOptions } from "../client/client.ts";
import type { CommandCall } from "../lib/command-line/command.ts";
import type { Flag, FlagValues } from "../lib/command-line/flags.ts";
import { Exit, ExitCode, orExit } from "./exit.ts";
import { formats } from "./global-flags.ts";
import type { CtlIo } from "./io.ts";
import type { Format, Results } from "./print/results.ts";

export class CtlCall {
  readonly flags: FlagValues;
  readonly args: readonly string[];
  /** The whole command line. */
  readonly words: readonly string[];
  readonly io: CtlIo;
  readonly #inherited: readonly Flag[];
  #isPrepared = false;

  constructor({ flags, args, words, inherited }: CommandCall, io: CtlIo) {
    this.flags = flags;
    this.args = args;
    this.words = words;
    this.io = io;
    this.#inherited = inherited;
  }

  /** Reads contexts and variables, and checks what all commands with a client check. Once. */
  async prepare(): Promise<void> {
    if (this.#isPrepared) return;
    this.#isPrepared = true;
    const { flags, io } = this;
    const { applyEnvironment, variableOf } = await import("./environment.ts");
    const isWatch = this.words.includes("watch");
    await applyEnvironment(flags, this.#inherited, io, isWatch);
    const { applyContext } = await import("./context-file.ts");
    await applyContext(flags, this.#inherited, io);
    if (flags.bool("debug")) {
      for (const { name } of this.#inherited.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
        if (name !== "context") io.err(`${variableOf(name)}=${flags.text(name)}\n`);
      }
    }
  }

  async clientOptions(): Promise<ClientOptions> {
    await this.prepare();
    const { optionsFromFlags } = await import("./connect.ts");
    const options = await optionsFromFlags(this);
    this.checkFormat();
    return options;
  }

  checkFormat(): void {
    if (!formats.includes(this.flags.string("write-out") as Format)) {
      throw new Exit(ExitCode.badFeature, "unsupported output format");
    }
  }

  /** Whose lines of log are told: "etcd-client", or the name that a command gives its clients. */
  loggerName = "etcd-client";

  /** A client as the flags say. */
  async client(): Promise<Client> {
    return this.connect(await this.clientOptions());
  }

  async connect(options: ClientOptions): Promise<Client> {
    const { Client } = await import("../client/client.ts");
    return orExit(
      Client.connect({ ...options, onFailedAttempt: (attempt) => this.#tellFailed(attempt, options) }),
      ExitCode.badConnection,
    );
  }

  /** Before the command goes on: what it says of the failure comes behind. */
  async #tellFailed(attempt: FailedAttempt, { endpoints }: ClientOptions): Promise<void> {
    const { tellFailedAttempt } = await import("./failed-attempt.ts");
    tellFailedAttempt(this.io, attempt, endpoints, this.loggerName);
  }

  /** For a command that should not take long: --command-timeout from now on. */
  get timeout(): RequestOptions {
    return { deadlineMs: performance.now() + this.flags.durationMs("command-timeout") };
  }

  get format(): Format {
    return this.flags.string("write-out") as Format;
  }

  /** Prints a result in the format that was asked for. */
  async display<K extends keyof Results>(kind: K, result: Results[K]): Promise<void> {
    const { display } = await import("./print/display.ts");
    await display(this.io, { format: this.format, isHex: this.flags.bool("hex") }, kind, result);
  }
}
