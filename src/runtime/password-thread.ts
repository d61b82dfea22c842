/** A thread that hashes and compares passwords. */
import type { Worker } from "node:worker_threads";
import type { PasswordThread, PasswordWork } from "../lib/password-work.ts";
import { startWorker } from "./start-worker.ts";

class WorkerPasswordThread implements PasswordThread {
  readonly #worker: Worker;
  #waiter: PromiseWithResolvers<string | boolean> | undefined;
  #ended: Error | undefined;

  constructor() {
    const worker = startWorker("runtime/password-worker.ts", undefined);
    this.#worker = worker;
    // Only work keeps the process alive.
    worker.unref();
    worker.on("message", (answer: string | boolean) => {
      const waiter = this.#waiter;
      this.#waiter = undefined;
      worker.unref();
      waiter?.resolve(answer);
    });
    worker.on("error", (error: Error) => this.#over(error));
    worker.on("exit", () => this.#over(new Error("the thread for passwords has ended")));
  }

  run(work: PasswordWork): Promise<string | boolean> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (this.#waiter) return Promise.reject(new Error("the thread for passwords is busy"));
    this.#waiter = Promise.withResolvers();
    this.#worker.ref();
    this.#worker.postMessage(work);
    return this.#waiter.promise;
  }

  end(): void {
    this.#over(new Error("the thread for passwords was ended"));
    void this.#worker.terminate();
  }

  #over(error: Error): void {
    this.#ended ??= error;
    this.#waiter?.reject(this.#ended);
    this.#waiter = undefined;
  }
}

export const startPasswordThread = (): PasswordThread => new WorkerPasswordThread();
