/** A client that watches a range, through one member after the other, and goes on where it was. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { WatchRequestSchema, WatchResponseSchema } from "../../../src/gen/etcdserverpb/rpc_pb.ts";
import type { WatchCheck } from "../check/watch-check.ts";
import type { OpenStream } from "./client-network.ts";
import { anyMember, bytesOf, type Workload } from "./workload.ts";

export class WatchClient {
  readonly #workload: Workload;
  readonly check: WatchCheck;
  #stream: OpenStream | undefined;
  /** Each stream has a number; what comes of an old one does not count. */
  #streams = 0;

  constructor(workload: Workload, check: WatchCheck) {
    this.#workload = workload;
    this.check = check;
  }

  start(): void {
    this.#connect();
    this.#beUnsteady();
  }

  #connect(): void {
    const { network, cluster, random, fail } = this.#workload;
    const number = ++this.#streams;
    this.check.reconnected();
    const again = () => cluster.events.after(20 + random.below(300), () => this.#connect());
    this.#stream = network.open(anyMember(this.#workload), "/etcdserverpb.Watch/Watch", {
      onMessage: (bytes) => {
        if (number !== this.#streams) return;
        try {
          const response = fromBinary(WatchResponseSchema, bytes);
          this.check.received(response);
          // A compacted watch is over; it goes on after what is gone.
          if (response.canceled) {
            this.#stream?.close();
            again();
          }
        } catch (error) {
          fail(error);
        }
      },
      onEnd: () => {
        if (number === this.#streams) again();
      },
    });
    const { from, to } = this.check.range;
    const request = create(WatchRequestSchema, {
      requestUnion: {
        case: "createRequest",
        value: {
          key: bytesOf(from),
          rangeEnd: bytesOf(to),
          startRevision: BigInt(this.check.next),
          progressNotify: random.chance(0.5),
        },
      },
    });
    this.#stream.send(toBinary(WatchRequestSchema, request));
  }

  /** Now and then it stops reading for a while, or goes to another member. */
  #beUnsteady(): void {
    const { cluster, random, isOver } = this.#workload;
    cluster.events.after(random.below(4_000), () => {
      if (isOver()) return;
      const stream = this.#stream;
      if (random.chance(0.5)) {
        stream?.pause();
        cluster.events.after(random.below(2_000), () => stream?.resume());
      } else {
        stream?.close();
        this.#connect();
      }
      this.#beUnsteady();
    });
  }
}
