/** The same watches on both servers, and whether they have been told the same. */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  WatchRequestSchema,
  type WatchResponse,
  WatchResponseSchema,
} from "../../src/gen/etcdserverpb/rpc_pb.ts";
import type { GrpcCall } from "../support/grpc-client.ts";
import type { Random } from "../support/random.ts";
import type { Pair, Two } from "./pair.ts";
import { numbered, type RandomRequests, textOf } from "./requests.ts";

type WatchInit = MessageInitShape<typeof WatchRequestSchema>;

const settledWithinMs = 30_000;
/** etcd looks after watches that are behind ten times a second. */
export const caughtUpMs = 150;
/** What need not be answered has been by then, or will not be. */
const heardMs = 50;

/** One stream to each server. */
export class WatchStreams {
  readonly #told: Two<WatchResponse[]> = [[], []];
  readonly #calls: Two<GrpcCall>;
  readonly #ends: string[] = ["", ""];
  #broken: string | undefined;
  /** After it has told a watch that its revision is compacted, etcd answers no question for progress on that stream. */
  progressWorks = true;
  /** What was asked on these streams, for the reader. */
  readonly asked: string[] = [];

  constructor(pair: Pair) {
    const open = (side: 0 | 1): GrpcCall => {
      const call = pair.clients[side].call("/etcdserverpb.Watch/Watch", (bytes) => {
        const response = fromBinary(WatchResponseSchema, bytes);
        this.#told[side].push(response);
        this.#broken ??= brokenPromise(response);
        if (response.compactRevision !== 0n) this.progressWorks = false;
      });
      call.ended.then(
        () => {
          this.#ends[side] = "ended";
        },
        (error: Error) => {
          this.#ends[side] = error.message;
        },
      );
      return call;
    };
    this.#calls = [open(0), open(1)];
  }

  send(init: WatchInit): void {
    const message = toBinary(WatchRequestSchema, create(WatchRequestSchema, init));
    this.asked.push(textOf(init));
    for (const call of this.#calls) call.send(message);
  }

  /**
   * Waits until both have told the same, at least `least` answers, and forgets it. `inPieces`: a watch that is behind may
   * be told the same events in other pieces.
   */
  async settle({ least = 0, inPieces = false } = {}): Promise<void> {
    const deadlineMs = performance.now() + settledWithinMs;
    for (;;) {
      const [etcd, ours] = this.#told.map((list) => byWatch(list, inPieces));
      const enough =
        this.#told.every((list) => list.length >= least) || this.#ends.every((end) => end !== "");
      if (enough && etcd === ours && this.#ends[0] === this.#ends[1] && this.#broken === undefined) break;
      if (performance.now() > deadlineMs || this.#broken !== undefined)
        throw new Error(
          `a watch stream was told\n${etcd}\nby etcd (${this.#ends[0]}), and\n${ours}\nby the server under test (${this.#ends[1]})\n${this.#broken ?? ""}\nasked: ${this.asked.join("\n")}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    for (const list of this.#told) list.length = 0;
  }

  close(): void {
    for (const call of this.#calls) call.cancel();
  }
}

/** What etcd promises of every answer: its revision is not older than its events, and they are in order. */
function brokenPromise({ events, header, canceled }: WatchResponse): string | undefined {
  let last = 0n;
  for (const { kv } of events) {
    if (kv!.modRevision < last) return `an event of revision ${kv!.modRevision} after one of ${last}`;
    last = kv!.modRevision;
  }
  if (!canceled && header!.revision < last)
    return `a header of revision ${header!.revision} with an event of ${last}`;
  return undefined;
}

/** Between watches of one stream there is no order. */
function byWatch(list: readonly WatchResponse[], inPieces: boolean): string {
  const lines = new Map<bigint, string[]>();
  for (const response of list) {
    const own = lines.get(response.watchId) ?? [];
    lines.set(response.watchId, own);
    if (inPieces && response.events.length > 0) own.push(...response.events.map(textOf));
    else own.push(textOf(response));
  }
  return [...lines]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, own]) => `${id}: ${own.join("\n   ")}`)
    .join("\n");
}

/** Opens, asks and closes streams by chance. */
export class RandomWatches {
  readonly #random: Random;
  readonly #requests: RandomRequests;
  readonly #pair: Pair;
  #streams: WatchStreams[] = [];

  constructor(random: Random, requests: RandomRequests, pair: Pair) {
    this.#random = random;
    this.#requests = requests;
    this.#pair = pair;
  }

  async step(): Promise<void> {
    const random = this.#random;
    if (this.#streams.length === 0 || (this.#streams.length < 3 && random.chance(0.1)))
      this.#streams.push(new WatchStreams(this.#pair));
    const stream = random.pick(this.#streams);
    const dice = random.below(100);
    if (dice < 4) {
      stream.close();
      this.#streams = this.#streams.filter((other) => other !== stream);
    } else if (dice < 20) {
      stream.send({ requestUnion: { case: "cancelRequest", value: { watchId: this.#watchId() } } });
      // A number that no watch has is not answered.
      await new Promise((resolve) => setTimeout(resolve, heardMs));
    } else if (dice < 30) {
      await new Promise((resolve) => setTimeout(resolve, caughtUpMs));
      if (!stream.progressWorks) return;
      stream.send({ requestUnion: { case: "progressRequest", value: {} } });
      // None is answered if a watch of the stream begins in the future, so there is nothing to wait for.
      await new Promise((resolve) => setTimeout(resolve, heardMs));
    } else if (dice < 31) stream.send({ requestUnion: { case: undefined } });
    else await this.#create(stream);
  }

  async #create(stream: WatchStreams): Promise<void> {
    const random = this.#random;
    const key = this.#requests.key();
    const startRevision = random.chance(0.5) ? 0n : this.#requests.revision();
    stream.send({
      requestUnion: {
        case: "createRequest",
        value: {
          key,
          rangeEnd: this.#requests.rangeEnd(key, 0.3),
          startRevision,
          progressNotify: random.chance(0.2),
          filters: random.chance(0.6)
            ? []
            : Array.from({ length: random.below(3) }, () => numbered(random.pick([0, 1, 1, 2]))),
          prevKv: random.chance(0.5),
          watchId: random.chance(0.8) ? 0n : this.#watchId(),
          fragment: random.chance(0.4),
        },
      },
    });
    await stream.settle({ least: 1, inPieces: true });
    if (startRevision === 0n) return;
    await new Promise((resolve) => setTimeout(resolve, caughtUpMs));
    await stream.settle({ inPieces: true });
  }

  #watchId(): bigint {
    return this.#random.chance(0.1)
      ? this.#random.pick([-1n, -5n, 2n ** 40n])
      : BigInt(this.#random.below(12));
  }

  async settle(): Promise<void> {
    for (const stream of this.#streams) await stream.settle();
  }

  closeAll(): void {
    for (const stream of this.#streams) stream.close();
    this.#streams = [];
  }
}
