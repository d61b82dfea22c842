/** The clients of a fault run: registers that are checked for linearizability, and writers of more and larger values. */
import type { RegisterOp } from "../support/linearizability/history.ts";
import type { Random } from "../support/random.ts";
import { EndpointClient } from "./endpoint-client.ts";
import type { RegisterKeys } from "./register-keys.ts";
import { answerOf, type Change, putAll, requestOf, revisionOfTxn } from "./requests.ts";
import { Broken, type Revisions } from "./revisions.ts";

export interface Counts {
  answered: number;
  refused: number;
  unknown: number;
  /** Unknown outcomes, by what was said. */
  readonly why: Map<string, number>;
  /** `performance.now()` of each acknowledged write. */
  readonly writesAtMs: number[];
}

export interface ClientOptions {
  readonly number: number;
  readonly urls: () => readonly string[];
  readonly random: Random;
  readonly revisions: Revisions;
  readonly keys: RegisterKeys;
  readonly counts: Counts;
  readonly onBroken: (error: unknown) => void;
}

/** Between two calls of a client: the run is about faults, and the history should stay of a size that can be checked. */
const thinkMsMax = 8;
const largeValueBytes = 4096;
const largeKeys = 200;

abstract class Client {
  protected readonly options: ClientOptions;
  protected readonly endpoint: EndpointClient;
  protected serial = 0;
  #stopped = false;

  constructor(options: ClientOptions) {
    this.options = options;
    this.endpoint = new EndpointClient(options.urls, options.random);
  }

  protected abstract step(): Promise<boolean>;

  async run(): Promise<void> {
    const { random, onBroken } = this.options;
    while (!this.#stopped) {
      if (random.chance(0.005)) this.endpoint.move();
      const answered = await this.step().catch(onBroken);
      const pauseMs = answered ? random.below(thinkMsMax) : random.between(20, 60);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    this.endpoint.close();
  }

  stop(): void {
    this.#stopped = true;
  }

  protected failed(kind: "refused" | "unknown", why: string): void {
    const { counts } = this.options;
    counts[kind]++;
    if (kind === "unknown") counts.why.set(why, (counts.why.get(why) ?? 0) + 1);
  }

  protected acknowledged(revision: number, changes: readonly Change[]): void {
    this.options.counts.writesAtMs.push(performance.now());
    this.options.revisions.acknowledged(revision, changes);
  }
}

export class RegisterClient extends Client {
  /** The values that this client saw last, for exchanges that may succeed. */
  readonly #seen = new Map<string, string | undefined>();
  /** The newest revision that it was told of: never goes back for a linearizable call. */
  #revision = 0;

  protected async step(): Promise<boolean> {
    const { keys, random } = this.options;
    const key = keys.pick(random);
    return await this.#call(key, this.#choose(key));
  }

  #choose(key: string): RegisterOp {
    const { random, number } = this.options;
    const dice = random.below(100);
    const value = `${number}.${++this.serial}`;
    if (dice < 35) return { kind: "get" };
    if (dice < 70) return { kind: "put", value };
    if (dice < 78) return { kind: "delete" };
    return { kind: "cas", expected: this.#seen.get(key), value };
  }

  async #call(key: string, op: RegisterOp): Promise<boolean> {
    const { keys, number, counts } = this.options;
    const { path, bytes } = requestOf(key, op);
    const call = keys.begin(key, number, op);
    const outcome = await this.endpoint.call(path, bytes);
    if (outcome.kind !== "answer") {
      this.failed(outcome.kind, outcome.why);
      keys.ended(key, call, outcome.kind === "refused" ? "none" : "unknown");
      return false;
    }
    counts.answered++;
    const { revision, result, change } = answerOf(key, op, outcome.bytes);
    call.result = result;
    if (change) this.acknowledged(revision, [change]);
    this.#remember(key, op, result);
    keys.ended(key, call, "answer");
    if (revision < this.#revision) {
      throw new Broken(
        `client ${number} was told of revision ${revision} after ${this.#revision} by ${this.endpoint.at}`,
      );
    }
    this.#revision = revision;
    return true;
  }

  #remember(key: string, op: RegisterOp, result: ReturnType<typeof answerOf>["result"]): void {
    if (this.#seen.size > 100) this.#seen.clear();
    if (result.kind === "get") this.#seen.set(key, result.seen?.value);
    else if (op.kind === "delete") this.#seen.delete(key);
    else if (op.kind === "put") this.#seen.set(key, op.value);
    else if (op.kind === "cas" && result.kind === "cas" && result.succeeded) this.#seen.set(key, op.value);
  }
}

/** Puts larger values, some of them two in one transaction. */
export class BulkClient extends Client {
  protected async step(): Promise<boolean> {
    const { random, number, counts } = this.options;
    const value = `${number}.${++this.serial}.`.padEnd(random.between(20, largeValueBytes), "x");
    const key = `b/${number}/${random.below(largeKeys)}`;
    const changes = random.chance(0.3)
      ? [
          { key, value },
          { key: `${key}/2`, value },
        ]
      : [{ key, value }];
    const { path, bytes } = putAll(changes);
    const outcome = await this.endpoint.call(path, bytes);
    if (outcome.kind !== "answer") {
      this.failed(outcome.kind, outcome.why);
      return false;
    }
    counts.answered++;
    this.acknowledged(revisionOfTxn(outcome.bytes), changes);
    return true;
  }
}
