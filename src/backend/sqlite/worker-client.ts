/**
 * The main thread's end of the writer's thread: requests go out in order and are answered in order. Buffers of
 * generations come back with the answers and are used again, so that a burst of writes leaves no garbage behind.
 */
import type { Worker } from "node:worker_threads";
import { startWorker } from "../../runtime/start-worker.ts";
import type { Generation } from "../backend.ts";
import { BackendClosedError } from "../errors.ts";
import { fromFailure } from "./failures.ts";
import { encodeGeneration } from "./generation-buffer.ts";
import type { Reply, Request, Standing, WorkerStart } from "./protocol.ts";

const workerPath = "backend/sqlite/worker.ts";
/** Buffers kept for later: one is being filled while another is being written. */
const spareBuffersMax = 2;
/** A buffer larger than this is not kept. */
const spareBytesMax = 16 * 1024 * 1024;

export type Answer = Extract<Reply, { ok: true }>;

/** What the backend needs of the writer, wherever it runs. */
export interface WriterClient {
  /** What the last answer said. */
  readonly standing: Standing;
  write(generation: Generation): Promise<Answer>;
  request(request: Request): Promise<Answer>;
  close(): Promise<void>;
}

interface Waiter {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export class WorkerClient implements WriterClient {
  readonly #worker: Worker;
  readonly #waiters: Waiter[] = [];
  readonly #spares: ArrayBuffer[] = [];
  /** What the last answer said. */
  standing: Standing;
  #ended: Error | undefined;

  private constructor(worker: Worker, standing: Standing) {
    this.#worker = worker;
    this.standing = standing;
  }

  /** Starts the thread and waits until it has the file open. */
  static async start(start: WorkerStart): Promise<WorkerClient> {
    const worker = startWorker(workerPath, start);
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const ended = (code: number) => reject(new BackendClosedError(`the writer ended by itself (${code})`));
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", ended);
    const first = await promise;
    worker.off("error", reject);
    worker.off("exit", ended);
    if (!first.ok) {
      await worker.terminate();
      throw fromFailure(first.failure);
    }
    const client = new WorkerClient(worker, first.standing);
    worker.on("message", (reply: Reply) => client.#answered(reply));
    worker.on("error", (error: Error) => client.#end(error));
    worker.on("exit", () => client.#end(new BackendClosedError()));
    return client;
  }

  write(generation: Generation): Promise<Answer> {
    // Largest first would waste the large one on a small generation; there are two of them.
    const buffer = encodeGeneration(generation, this.#spares.pop());
    return this.request({ kind: "write", buffer });
  }

  request(request: Request): Promise<Answer> {
    if (this.#ended) return Promise.reject(this.#ended);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiters.push({ resolve, reject });
    if (request.kind === "write") this.#worker.postMessage(request, [request.buffer]);
    else this.#worker.postMessage(request);
    return promise;
  }

  async close(): Promise<void> {
    try {
      await this.request({ kind: "close" });
    } finally {
      await this.#worker.terminate();
    }
  }

  #answered(reply: Reply): void {
    const waiter = this.#waiters.shift()!;
    if (!reply.ok) {
      waiter.reject(fromFailure(reply.failure));
      return;
    }
    this.standing = reply.standing;
    const { buffer } = reply;
    if (buffer && buffer.byteLength <= spareBytesMax && this.#spares.length < spareBuffersMax) {
      this.#spares.push(buffer);
    }
    waiter.resolve(reply);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#ended);
  }
}
