/**
 * Puts at a steady pace through all endpoints in turn, whether those before are answered or not: so the first answer after
 * something happened, and the time of each put, do not depend on how long a client waits for a call that is lost.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { PutRequestSchema } from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { GrpcClient, type GrpcError } from "../../test/support/grpc-client.ts";

export interface PacedPut {
  /** `performance.now()` when it was due. */
  readonly startedMs: number;
  readonly endedMs: number;
  readonly url: string;
  /** What the server said instead of an answer. */
  readonly error: string | undefined;
  /** It never reached a server. */
  readonly isRefused: boolean;
}

const value = new Uint8Array(256).fill(120);
const key = new TextEncoder().encode("paced");
const request = toBinary(PutRequestSchema, create(PutRequestSchema, { key, value }));
const timeoutMs = 10_000;

export class PacedPuts {
  readonly #urls: () => readonly string[];
  readonly #everyMs: number;
  readonly #clients = new Map<string, GrpcClient>();
  #done: PacedPut[] = [];
  /** How many are under way to each member. */
  readonly #open = new Map<string, number>();
  #turn = 0;
  #stopped = false;
  #dueMs = performance.now();
  onAnswer: ((put: PacedPut) => void) | undefined;

  constructor(urls: () => readonly string[], everyMs: number) {
    this.#urls = urls;
    this.#everyMs = everyMs;
    this.#tick();
  }

  /** Those that ended since the last call. */
  take(): PacedPut[] {
    const done = this.#done;
    this.#done = [];
    return done;
  }

  /** Resolves to the first put that begins after now and is acknowledged. */
  next(): Promise<PacedPut> {
    const sinceMs = performance.now();
    return new Promise((resolve) => {
      this.onAnswer = (put) => {
        if (put.error !== undefined || put.startedMs < sinceMs) return;
        this.onAnswer = undefined;
        resolve(put);
      };
    });
  }

  /** Waits until none is under way to that member. */
  async settled(url: string): Promise<void> {
    while ((this.#open.get(url) ?? 0) > 0) await pause(5);
  }

  /** Starts no more, and waits for those under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const url of this.#open.keys()) await this.settled(url);
    for (const client of this.#clients.values()) client.close();
  }

  #tick(): void {
    if (this.#stopped) return;
    const nowMs = performance.now();
    for (; this.#dueMs <= nowMs; this.#dueMs += this.#everyMs) void this.#put(this.#dueMs);
    setTimeout(() => this.#tick(), Math.max(0, this.#dueMs - performance.now()));
  }

  async #put(startedMs: number): Promise<void> {
    const urls = this.#urls();
    const url = urls[this.#turn++ % urls.length]!;
    this.#count(url, 1);
    let error: string | undefined;
    let isRefused = false;
    try {
      const client = this.#clientOf(url);
      await client.connected.catch((why: unknown) => {
        isRefused = true;
        throw why;
      });
      await client.unary("/etcdserverpb.KV/Put", request, timeoutMs);
    } catch (why) {
      error = (why as GrpcError).message;
    }
    this.#count(url, -1);
    const put = { startedMs, endedMs: performance.now(), url, error, isRefused };
    this.#done.push(put);
    this.onAnswer?.(put);
  }

  #count(url: string, more: number): void {
    this.#open.set(url, (this.#open.get(url) ?? 0) + more);
  }

  #clientOf(url: string): GrpcClient {
    const known = this.#clients.get(url);
    if (known !== undefined && !known.isBroken) return known;
    const client = new GrpcClient(url);
    this.#clients.set(url, client);
    return client;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The value below which that part of them is; `part` 0.5 is the median. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}
