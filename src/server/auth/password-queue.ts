/**
 * Passwords are hashed by a few threads, because a hash takes tens of milliseconds, and the work waits in a queue in
 * which everybody has a turn: by who asks, and then by whose password it is. So a flood of logins waits for itself.
 *
 * Equal questions at the same time are answered together: when a thousand programs of one user come back after an
 * outage, their password is looked at once.
 */
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import { errors } from "../../errors/table.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import { FairQueue } from "../../lib/fair-queue.ts";
import type { Logger } from "../../lib/logger.ts";
import type { PasswordThread, PasswordWork } from "../../lib/password-work.ts";
import type { Asking, PasswordHasher } from "./token-provider.ts";

/** Questions that may wait. */
const waitingMax = 2048;
/** Questions of one source that may wait: room for others stays. */
const waitingPerSourceMax = 1024;
/** Callers that may wait; several may wait for one question. */
const askersMax = 16_384;
/** A thread with nothing to do goes after so long: it takes some megabytes. */
const idleMs = 60_000;
/** A hash that takes longer (its cost is beyond 17 or so) is given up, because others wait for the thread. */
const workMsMax = 60_000;

/** bcrypt looks at so many bytes of a password. */
const passwordBytesMax = 72;
export const bcryptCosts = { min: 4, max: 31, default: 10 } as const;

export interface PasswordQueueOptions {
  readonly startThread: () => PasswordThread;
  readonly threadsMax: number;
  /** `--bcrypt-cost`. */
  readonly cost: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Question {
  readonly work: PasswordWork;
  readonly path: readonly string[];
  readonly askers: Set<PromiseWithResolvers<string | boolean>>;
  /** Under which name others find it; empty if it cannot be shared. */
  readonly name: string;
}

export class PasswordQueue implements PasswordHasher {
  readonly #options: PasswordQueueOptions;
  readonly #cost: number;
  readonly #waiting = new FairQueue<Question>();
  readonly #shared = new Map<string, Question>();
  readonly #idle: PasswordThread[] = [];
  readonly #busy = new Set<PasswordThread>();
  #askers = 0;
  #idleTimer: Timer | undefined;
  #closed = false;

  constructor(options: PasswordQueueOptions) {
    this.#options = options;
    this.#cost = usableCost(options.cost, options.logger);
  }

  /** How many questions wait for a thread. */
  get waiting(): number {
    return this.#waiting.size;
  }

  async hash(password: string, asking: Asking = {}): Promise<string> {
    if (Buffer.byteLength(password) > passwordBytesMax) throw passwordTooLong();
    const work = { kind: "hash", password, cost: this.#cost } as const;
    return (await this.#ask(work, asking, "")) as string;
  }

  async matches(password: string, hash: string, asking: Asking = {}): Promise<boolean> {
    const work = { kind: "match", password: significant(password), hash } as const;
    return (await this.#ask(work, asking, `${hash}\n${work.password}`)) as boolean;
  }

  close(): void {
    this.#closed = true;
    this.#idleTimer?.cancel();
    for (const thread of this.#idle.splice(0)) thread.end();
    for (const thread of this.#busy) thread.end();
    for (let question = this.#waiting.take(); question; question = this.#waiting.take()) {
      this.#answer(question, errors.stopped());
    }
  }

  #ask(work: PasswordWork, { source = "", signal }: Asking, name: string): Promise<string | boolean> {
    if (this.#closed) return Promise.reject(errors.stopped());
    if (signal?.aborted) return Promise.reject(errors.contextCanceled());
    let question = this.#shared.get(name);
    if (!question) {
      if (!this.#hasRoom(source)) return Promise.reject(errors.tooManyRequests());
      const path = [source, work.kind === "match" ? work.hash : ""];
      question = { work, path, askers: new Set(), name };
      if (name !== "") this.#shared.set(name, question);
      this.#waiting.put(path, question);
    }
    if (this.#askers >= askersMax) return Promise.reject(errors.tooManyRequests());
    const asker = Promise.withResolvers<string | boolean>();
    question.askers.add(asker);
    this.#askers++;
    if (signal) this.#giveUpOn(signal, question, asker);
    this.#next();
    return asker.promise;
  }

  #hasRoom(source: string): boolean {
    const waiting = this.#waiting;
    const room = waiting.size < waitingMax && waiting.sizeUnder(source) < waitingPerSourceMax;
    return room && this.#askers < askersMax;
  }

  #giveUpOn(signal: AbortSignal, question: Question, asker: PromiseWithResolvers<string | boolean>): void {
    const gone = () => {
      if (!question.askers.delete(asker)) return;
      this.#askers--;
      asker.reject(errors.contextCanceled());
      if (question.askers.size > 0 || !this.#waiting.remove(question.path, question)) return;
      this.#shared.delete(question.name);
    };
    signal.addEventListener("abort", gone, { once: true });
    const forget = () => signal.removeEventListener("abort", gone);
    asker.promise.then(forget, forget);
  }

  #next(): void {
    while (this.#waiting.size > 0 && this.#busy.size < this.#options.threadsMax) {
      const thread = this.#idle.pop() ?? this.#options.startThread();
      const question = this.#waiting.take()!;
      this.#busy.add(thread);
      void this.#work(thread, question);
    }
  }

  async #work(thread: PasswordThread, question: Question): Promise<void> {
    const { clock, logger } = this.#options;
    const tooLong = clock.after(workMsMax, () => thread.end());
    let answer: string | boolean | EtcdError;
    try {
      answer = await thread.run(question.work);
      if (!this.#closed) this.#idle.push(thread);
    } catch (error) {
      thread.end();
      if (!this.#closed) logger.warn("failed to work on a password", { error: String(error) });
      answer = this.#closed ? errors.stopped() : new EtcdError(GrpcCode.internal, "password check failed");
    }
    tooLong.cancel();
    this.#busy.delete(thread);
    this.#answer(question, answer);
    this.#next();
    this.#restLater();
  }

  #answer(question: Question, answer: string | boolean | EtcdError): void {
    if (question.name !== "") this.#shared.delete(question.name);
    for (const asker of question.askers) {
      if (answer instanceof EtcdError) asker.reject(answer);
      else asker.resolve(answer);
    }
    this.#askers -= question.askers.size;
    question.askers.clear();
  }

  /** Ends the threads when nobody asked for a while. */
  #restLater(): void {
    this.#idleTimer?.cancel();
    if (this.#closed || this.#busy.size > 0) return;
    this.#idleTimer = this.#options.clock.after(idleMs, () => {
      for (const thread of this.#idle.splice(0)) thread.end();
    });
  }
}

/** The part of a password that counts, with nothing of the rest kept alive. One more unit, lest a pair is cut. */
function significant(password: string): string {
  if (password.length <= passwordBytesMax) return password;
  return Buffer.from(password.slice(0, passwordBytesMax + 1), "utf16le").toString("utf16le");
}

function usableCost(cost: number, logger: Logger): number {
  if (cost >= bcryptCosts.min && cost <= bcryptCosts.max) return cost;
  logger.warn("use default bcrypt cost instead of the invalid given cost", {
    "min-cost": bcryptCosts.min,
    "max-cost": bcryptCosts.max,
    "default-cost": bcryptCosts.default,
    "given-cost": cost,
  });
  return bcryptCosts.default;
}

/** Not in etcd's table, so Unknown; the words are those of Go's bcrypt. */
const passwordTooLong = (): EtcdError =>
  new EtcdError(GrpcCode.unknown, "bcrypt: password length exceeds 72 bytes");
