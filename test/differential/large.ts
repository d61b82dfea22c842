/** Values that do not fit into one answer: watches with and without fragments, that are told live and of the past. */
import { create, toBinary } from "@bufbuild/protobuf";
import * as rpc from "../../src/gen/etcdserverpb/rpc_pb.ts";
import type { Random } from "../support/random.ts";
import type { Pair } from "./pair.ts";
import { bytes, type Call, call } from "./requests.ts";
import { caughtUpMs, WatchStreams } from "./watches.ts";

const keys = ["large/a", "large/b", "large/c"];
const mostBytes = 700_000;

export class LargeValues {
  readonly #random: Random;
  readonly #pair: Pair;
  readonly #ask: (sent: Call) => Promise<unknown>;

  constructor(random: Random, pair: Pair, ask: (sent: Call) => Promise<unknown>) {
    this.#random = random;
    this.#pair = pair;
    this.#ask = ask;
  }

  async run(revision: bigint): Promise<void> {
    const live = this.#watch(0n);
    await live.settle({ least: 1 });
    for (let i = 0; i < 6; i++) {
      await this.#ask(this.#write());
      await live.settle({ least: 1 });
    }
    const past = this.#watch(revision + 1n);
    await new Promise((resolve) => setTimeout(resolve, caughtUpMs));
    await past.settle({ least: 2, inPieces: true });
    await this.#ask(
      call("KV/DeleteRange", rpc.DeleteRangeRequestSchema, {
        key: bytes("large/"),
        rangeEnd: bytes("large0"),
      }),
    );
    await live.settle({ least: 1 });
    await past.settle({ least: 1, inPieces: true });
    for (const stream of [live, past]) stream.close();
  }

  #watch(startRevision: bigint): WatchStreams {
    const random = this.#random;
    const stream = new WatchStreams(this.#pair);
    stream.send({
      requestUnion: {
        case: "createRequest",
        value: {
          key: bytes("large/"),
          rangeEnd: bytes("large0"),
          startRevision,
          fragment: random.chance(0.7),
          prevKv: random.chance(0.6),
        },
      },
    });
    return stream;
  }

  #write(): Call {
    const random = this.#random;
    const put = (key: string) => ({
      key: bytes(key),
      value: new Uint8Array(random.below(mostBytes)).fill(120),
    });
    if (random.chance(0.5)) return call("KV/Put", rpc.PutRequestSchema, put(random.pick(keys)));
    const first = random.below(keys.length);
    const both = [keys[first]!, keys[(first + 1) % keys.length]!];
    const success = both.map((key) => ({ request: { case: "requestPut" as const, value: put(key) } }));
    const request = create(rpc.TxnRequestSchema, { success });
    const path = "/etcdserverpb.KV/Txn";
    return {
      path,
      messages: [toBinary(rpc.TxnRequestSchema, request)],
      text: `${path} puts ${both.join(" and ")}`,
    };
  }
}
