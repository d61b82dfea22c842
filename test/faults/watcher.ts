/** A watch on all keys, over any number of streams and members: every revision once, in order, and whole. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { WatchRequestSchema, WatchResponseSchema } from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { Event_EventType } from "../../src/gen/mvccpb/kv_pb.ts";
import { GrpcClient } from "../support/grpc-client.ts";
import { type Change, textOf } from "./requests.ts";
import { Broken, type Revisions } from "./revisions.ts";

export interface WatcherOptions {
  readonly name: string;
  readonly revisions: Revisions;
  /** Where the next stream goes. */
  readonly nextUrl: () => string;
  /** A stream is given up after so long. */
  readonly streamMs: () => number;
  readonly onBroken: (error: unknown) => void;
}

const redialMs = 200;

export class Watcher {
  readonly #options: WatcherOptions;
  /** The revision it has to be shown next. */
  next = 2;
  streams = 0;
  #stopped = false;
  #client: GrpcClient | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      await this.#stream().catch((error: unknown) => {
        if (error instanceof Broken) this.#options.onBroken(error);
      });
      await new Promise((resolve) => setTimeout(resolve, redialMs));
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#client?.close();
  }

  async #stream(): Promise<void> {
    const client = new GrpcClient(this.#options.nextUrl());
    this.#client = client;
    const timer = setTimeout(() => client.close(), this.#options.streamMs());
    let broken: unknown;
    try {
      const call = client.call("/etcdserverpb.Watch/Watch", (message) => {
        try {
          this.#received(message);
        } catch (error) {
          broken = error;
          client.close();
        }
      });
      const value = { key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0), startRevision: BigInt(this.next) };
      const request = { requestUnion: { case: "createRequest" as const, value } };
      call.send(toBinary(WatchRequestSchema, create(WatchRequestSchema, request)));
      this.streams++;
      await call.ended;
    } catch (error) {
      throw broken ?? error;
    } finally {
      clearTimeout(timer);
      client.close();
    }
  }

  #received(message: Uint8Array): void {
    const answer = fromBinary(WatchResponseSchema, message);
    if (this.#stopped) return;
    if (answer.canceled && answer.compactRevision > 0n) {
      throw new Broken(`${this.name} was told that ${this.next} is compacted (${answer.compactRevision})`);
    }
    let changes: Change[] = [];
    let revision = 0;
    for (const { type, kv } of answer.events) {
      if (Number(kv!.modRevision) !== revision && changes.length > 0) {
        this.#take(revision, changes);
        changes = [];
      }
      revision = Number(kv!.modRevision);
      const value = type === Event_EventType.PUT ? textOf(kv!.value) : undefined;
      changes.push({ key: textOf(kv!.key), value });
    }
    if (changes.length > 0) this.#take(revision, changes);
  }

  #take(revision: number, changes: readonly Change[]): void {
    if (revision !== this.next) {
      throw new Broken(`${this.name} was shown revision ${revision} when ${this.next} was due`);
    }
    this.#options.revisions.shown(revision, changes, this.name);
    this.next = revision + 1;
  }
}
